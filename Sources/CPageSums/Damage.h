#ifndef PAGESUMS_DAMAGE_H
#define PAGESUMS_DAMAGE_H

#include "CPageSums.h"

/// Remembers a damage; `path` is the database, or its log when the damage is in a frame.
void page_sums_remember(const char *path, page_damage damage);

/// Remembers that the database's last sync failed, until `page_sums_forget`.
void page_sums_remember_unsynced(const char *path);
int page_sums_is_unsynced(const char *path);

#endif
