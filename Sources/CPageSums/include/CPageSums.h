#ifndef CPAGESUMS_H
#define CPAGESUMS_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct sqlite3;

/// Pages of this size carry a sum in this many bytes at their end, which SQLite leaves alone ("reserved").
enum { PAGE_SUMS_PAGE = 4096, PAGE_SUMS_BYTES = 8 };

/// The application id of the databases that carry sums ("RCTD"). Others are passed through untouched.
enum { PAGE_SUMS_OWNER = 0x52435444 };

/// A place where what was read is not what was written.
typedef struct page_damage {
    /// In the database file; in its log the page that the frame holds. 0: not known.
    int64_t page;
    /// In the log ("-wal"): the frame, from 1 on; 0 its header. -1: in the database file.
    int64_t frame;
} page_damage;

/// Makes the layer that sums and checks the default of the process, on top of the VFS named `below` (NULL: the one
/// that is the default now). A second call only changes what files that are opened from then on lie upon.
/// Answers an SQLite result code.
int page_sums_install(const char *below);

/// Keeps room for sums in a database that is still empty, or is about to be vacuumed.
int page_sums_reserve(struct sqlite3 *database);

/// Says that the log was not synced at each commit: frames of several commits may be missing after a power cut.
int page_sums_expect_unsynced_log(struct sqlite3 *database);

/// The log of a connection; good while the connection is open.
struct page_sums_log;

/// NULL when the database has no log, or its first transaction is still to come.
struct page_sums_log *page_sums_log_of(struct sqlite3 *database);

/// While on, commits of the connection leave their syncs to page_sums_sync. To be called on the connection's thread.
///
/// Other syncs are not left: of a new log's header, and before and after the log is copied into the database. No more
/// than PAGE_SUMS_UNSYNCED commits may be without a sync at one time, or a power cut is taken for damage.
void page_sums_leave_syncs(struct page_sums_log *log, int leaves);

enum { PAGE_SUMS_UNSYNCED = 8 };

/// Syncs all that was written before the call, from any thread; one at a time. An SQLite result code.
int page_sums_sync(struct page_sums_log *log);

/// How many pages the log has with the last commit of the connection. On its thread.
int64_t page_sums_log_pages(struct page_sums_log *log);

/// How long the last sync took, whoever asked for it; 0 before the first.
int64_t page_sums_sync_nanoseconds(struct page_sums_log *log);

/// The damage seen last in a database or its log; 0 when there is none.
int page_sums_damage(const char *database, page_damage *damage);

/// Forgets the damage seen so far: the file was replaced, or is opened anew.
void page_sums_forget(const char *database);

/// How a database file is kept.
typedef enum page_sums_kind {
    PAGE_SUMS_ABSENT,
    /// No database, or one of another program.
    PAGE_SUMS_FOREIGN,
    PAGE_SUMS_MISSING,
    PAGE_SUMS_PRESENT,
} page_sums_kind;

page_sums_kind page_sums_kind_of(const char *path);

/// Puts the sums into a closed file that has room for them, and syncs it. 0, or -1 with errno.
int page_sums_stamp(const char *path);

/// The sum of one page of PAGE_SUMS_PAGE bytes, without its last PAGE_SUMS_BYTES.
uint64_t page_sums_of(const uint8_t *page, int64_t number);

/// Called with the number of pages or frames looked at and their total; what it answers other than 0 ends the scan.
typedef int (*page_sums_progress)(void *context, int64_t done, int64_t total);
typedef void (*page_sums_report)(void *context, const page_damage *damage);

/// Reads a whole log, straight from the file; -1 when it cannot be read (errno), else the number of its frames.
/// Each page that a committed frame replaces is reported to `replaced` with its frame.
int64_t page_sums_scan_log(
    const char *path, int log_unsynced, void *context, page_sums_report damaged, page_sums_report replaced);

/// Reads a whole database file, straight from the file; -1 when it cannot be read (errno), else its pages.
/// A page that fails is read again some times: another process may be writing it.
int64_t page_sums_scan_database(
    const char *path, void *context, page_sums_report damaged, page_sums_progress progress);

#ifdef __cplusplus
}
#endif

#endif
