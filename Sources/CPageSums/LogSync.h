#ifndef PAGESUMS_LOGSYNC_H
#define PAGESUMS_LOGSYNC_H

#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>

#include "CPageSums.h"

/// The syncing of a log by one connection, and the note beside the log of how far it came (Anchor.h).
struct page_sums_log {
    sqlite3_file *below;
    const char *path;
    /// Commits leave their sync to page_sums_sync. Of the connection's thread.
    int leaves_syncs;
    /// The end of the last commit, likewise.
    int64_t pages;
    /// How long the last sync took.
    _Atomic int64_t nanoseconds;
    /// Over what follows.
    pthread_mutex_t lock;
    /// The end of the last commit that left its sync, 0 when there is none, and its salts.
    int64_t left;
    uint8_t salts[8];
    /// The note, once there was something to note.
    sqlite3_file *note;
};

/// The VFS that files lie upon.
sqlite3_vfs *page_sums_lower(void);

void log_sync_begin(struct page_sums_log *log, sqlite3_file *below, const char *path);

void log_sync_end(struct page_sums_log *log);

/// The sync after a commit that ends with this frame: done and noted, or left. An SQLite result code.
int log_sync_commit(struct page_sums_log *log, int flags, int64_t frame, const uint8_t *salts);

/// Any other sync: of a header, or before the log is copied into the database.
int log_sync_all(struct page_sums_log *log, int flags);

/// Opens the note beside a log; NULL when that cannot be: it is a help, not a need.
sqlite3_file *log_note_open(const char *log, int flags);

void log_note_close(sqlite3_file *note);

#endif
