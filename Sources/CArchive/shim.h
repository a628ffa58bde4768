// libarchive with only the formats that uploads may come in, and with names read the same whatever the daemon's locale
// is. Nothing else belongs here.
#ifndef REACTORD_CARCHIVE_SHIM_H
#define REACTORD_CARCHIVE_SHIM_H

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <locale.h>
#include <stddef.h>

// Names that a format declares to be UTF-8 are converted to the thread's locale: it has to be one that can hold them.
static inline locale_t carchive_enter(locale_t *made) {
    *made = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
    return *made == (locale_t)0 ? (locale_t)0 : uselocale(*made);
}

static inline void carchive_leave(locale_t former, locale_t made) {
    if (made == (locale_t)0) return;
    uselocale(former);
    freelocale(made);
}

// A reader of zip files (by their directory, so that zip64 and data descriptors are understood), or of tar files that
// may be gzipped. The descriptor stays the caller's. NULL when there is no memory or libarchive lacks a part.
static inline struct archive *carchive_open(int descriptor, int is_zip, const char **message) {
    struct archive *reader = archive_read_new();
    if (reader == NULL) return NULL;
    int code = is_zip ? archive_read_support_format_zip_seekable(reader) : archive_read_support_format_tar(reader);
    if (code == ARCHIVE_OK && !is_zip) code = archive_read_support_filter_gzip(reader);
    if (code == ARCHIVE_OK) code = archive_read_open_fd(reader, descriptor, 65536);
    *message = code < ARCHIVE_WARN ? archive_error_string(reader) : NULL;
    return reader;
}

static inline int carchive_next(struct archive *reader, struct archive_entry **entry) {
    locale_t made;
    locale_t former = carchive_enter(&made);
    int code = archive_read_next_header(reader, entry);
    carchive_leave(former, made);
    return code;
}

// The bytes of a name as they stand in the archive, or as UTF-8 where the archive says that they are. NULL: unreadable.
static inline const char *carchive_name(struct archive_entry *entry) {
    locale_t made;
    locale_t former = carchive_enter(&made);
    const char *name = archive_entry_pathname(entry);
    carchive_leave(former, made);
    return name;
}

// 'f' a file, 'd' a folder, 'l' a link of either kind, 'o' anything else.
static inline char carchive_kind(struct archive_entry *entry) {
    if (archive_entry_hardlink(entry) != NULL) return 'l';
    switch (archive_entry_filetype(entry)) {
    case AE_IFREG: return 'f';
    case AE_IFDIR: return 'd';
    case AE_IFLNK: return 'l';
    default: return 'o';
    }
}

static inline int carchive_is_encrypted(struct archive_entry *entry) { return archive_entry_is_encrypted(entry) == 1; }

// Bytes into the buffer; 0 at the end of the entry, less than 0 for what cannot be read.
static inline la_ssize_t carchive_read(struct archive *reader, void *buffer, size_t count) {
    return archive_read_data(reader, buffer, count);
}

// Bytes of the archive itself that have been read so far.
static inline long long carchive_consumed(struct archive *reader) { return archive_filter_bytes(reader, -1); }

static inline int carchive_ok(void) { return ARCHIVE_OK; }
static inline int carchive_warn(void) { return ARCHIVE_WARN; }
static inline int carchive_end(void) { return ARCHIVE_EOF; }

#endif
