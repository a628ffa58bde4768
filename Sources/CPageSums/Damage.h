#ifndef PAGESUMS_DAMAGE_H
#define PAGESUMS_DAMAGE_H

#include "CPageSums.h"

/// Remembers a damage; `path` is the database, or its log when the damage is in a frame.
void page_sums_remember(const char *path, page_damage damage);

#endif
