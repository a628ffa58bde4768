#include "include/CArchive.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <locale.h>

// Names that a format declares to be UTF-8 are converted to the thread's locale: it has to be one that can hold them.
static locale_t carchive_enter(locale_t *made) {
    *made = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
    return *made == (locale_t)0 ? (locale_t)0 : uselocale(*made);
}

static void carchive_leave(locale_t former, locale_t made) {
    if (made == (locale_t)0) return;
    uselocale(former);
    freelocale(made);
}

struct archive *carchive_open(int descriptor, int is_zip, const char **message) {
    struct archive *reader = archive_read_new();
    if (reader == NULL) return NULL;
    int code = is_zip ? archive_read_support_format_zip_seekable(reader) : archive_read_support_format_tar(reader);
    if (code == ARCHIVE_OK && !is_zip) code = archive_read_support_filter_gzip(reader);
    if (code == ARCHIVE_OK) code = archive_read_open_fd(reader, descriptor, 65536);
    *message = code < ARCHIVE_WARN ? archive_error_string(reader) : NULL;
    return reader;
}

int carchive_next(struct archive *reader, struct archive_entry **entry) {
    locale_t made;
    locale_t former = carchive_enter(&made);
    int code = archive_read_next_header(reader, entry);
    carchive_leave(former, made);
    return code;
}

const char *carchive_name(struct archive_entry *entry) {
    locale_t made;
    locale_t former = carchive_enter(&made);
    const char *name = archive_entry_pathname(entry);
    carchive_leave(former, made);
    return name;
}

char carchive_kind(struct archive_entry *entry) {
    if (archive_entry_hardlink(entry) != NULL) return 'l';
    switch (archive_entry_filetype(entry)) {
    case AE_IFREG: return 'f';
    case AE_IFDIR: return 'd';
    case AE_IFLNK: return 'l';
    default: return 'o';
    }
}

int carchive_is_encrypted(struct archive_entry *entry) { return archive_entry_is_encrypted(entry) == 1; }

long carchive_read(struct archive *reader, void *buffer, size_t count) {
    return archive_read_data(reader, buffer, count);
}

void carchive_free(struct archive *reader) { archive_read_free(reader); }

const char *carchive_error(struct archive *reader) { return archive_error_string(reader); }

long long carchive_consumed(struct archive *reader) { return archive_filter_bytes(reader, -1); }

int carchive_ok(void) { return ARCHIVE_OK; }
int carchive_warn(void) { return ARCHIVE_WARN; }
int carchive_end(void) { return ARCHIVE_EOF; }

