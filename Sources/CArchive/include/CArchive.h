// libarchive with only the formats that uploads may come in, and with names read the same whatever the daemon's locale
// is. Nothing else belongs here; libarchive's own headers stay behind it, with the system's types that they bring.
#ifndef REACTORD_CARCHIVE_H
#define REACTORD_CARCHIVE_H

#include <stddef.h>

struct archive;
struct archive_entry;

// A reader of zip files (by their directory, so that zip64 and data descriptors are understood), or of tar files that
// may be gzipped. The descriptor stays the caller's. NULL when there is no memory or libarchive lacks a part.
struct archive *carchive_open(int descriptor, int is_zip, const char **message);
void carchive_free(struct archive *reader);

int carchive_next(struct archive *reader, struct archive_entry **entry);

// The bytes of a name as they stand in the archive, or as UTF-8 where the archive says that they are. NULL: unreadable.
const char *carchive_name(struct archive_entry *entry);

// 'f' a file, 'd' a folder, 'l' a link of either kind, 'o' anything else.
char carchive_kind(struct archive_entry *entry);

int carchive_is_encrypted(struct archive_entry *entry);

// Bytes into the buffer; 0 at the end of the entry, less than 0 for what cannot be read.
long carchive_read(struct archive *reader, void *buffer, size_t count);

// Bytes of the archive itself that have been read so far.
long long carchive_consumed(struct archive *reader);

// What was wrong last; NULL when nothing is known.
const char *carchive_error(struct archive *reader);

int carchive_ok(void);
int carchive_warn(void);
int carchive_end(void);

#endif
