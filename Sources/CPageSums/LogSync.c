#include "LogSync.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "Anchor.h"

sqlite3_file *log_note_open(const char *log, int flags) {
    sqlite3_vfs *lower = page_sums_lower();
    char *path = anchor_path(log);
    size_t length = path != NULL ? strlen(path) + 1 : 0;
    sqlite3_file *note = path != NULL ? sqlite3_malloc64((size_t)lower->szOsFile + length) : NULL;
    if (note != NULL) {
        memset(note, 0, (size_t)lower->szOsFile);
        // The VFS goes on using the name while the file is open.
        char *name = (char *)note + lower->szOsFile;
        memcpy(name, path, length);
        // With the kind of a journal it gets the access rights of the database.
        if (lower->xOpen(lower, name, note, flags | SQLITE_OPEN_MAIN_JOURNAL, NULL) != SQLITE_OK) {
            if (note->pMethods != NULL) note->pMethods->xClose(note);
            sqlite3_free(note);
            note = NULL;
        }
    }
    free(path);
    return note;
}

void log_note_close(sqlite3_file *note) {
    if (note == NULL) return;
    note->pMethods->xClose(note);
    sqlite3_free(note);
}

void log_sync_begin(struct page_sums_log *log, sqlite3_file *below, const char *path) {
    *log = (struct page_sums_log){.below = below, .path = path};
    pthread_mutex_init(&log->lock, NULL);
}

void log_sync_end(struct page_sums_log *log) {
    log_note_close(log->note);
    pthread_mutex_destroy(&log->lock);
}

int log_sync_all(struct page_sums_log *log, int flags) {
    struct timespec before, after;
    clock_gettime(CLOCK_MONOTONIC, &before);
    int result = log->below->pMethods->xSync(log->below, flags);
    clock_gettime(CLOCK_MONOTONIC, &after);
    int64_t seconds = after.tv_sec - before.tv_sec;
    atomic_store(&log->nanoseconds, seconds * 1000000000 + after.tv_nsec - before.tv_nsec);
    return result;
}

static void put_note(struct page_sums_log *log, int64_t frame, const uint8_t *salts) {
    pthread_mutex_lock(&log->lock);
    if (log->note == NULL) log->note = log_note_open(log->path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
    if (log->note != NULL) {
        uint8_t bytes[ANCHOR];
        anchor_write(bytes, salts, frame);
        log->note->pMethods->xWrite(log->note, bytes, ANCHOR, 0);
    }
    pthread_mutex_unlock(&log->lock);
}

int log_sync_commit(struct page_sums_log *log, int flags, int64_t frame, const uint8_t *salts) {
    log->pages = frame;
    if (log->leaves_syncs) {
        pthread_mutex_lock(&log->lock);
        log->left = frame;
        memcpy(log->salts, salts, sizeof log->salts);
        pthread_mutex_unlock(&log->lock);
        return SQLITE_OK;
    }
    int result = log_sync_all(log, flags);
    if (result == SQLITE_OK) put_note(log, frame, salts);
    return result;
}

void page_sums_leave_syncs(struct page_sums_log *log, int leaves) { log->leaves_syncs = leaves; }

int page_sums_sync(struct page_sums_log *log) {
    uint8_t salts[sizeof log->salts];
    // Before the sync: what is written while it is under way may be in it or not.
    pthread_mutex_lock(&log->lock);
    int64_t frame = log->left;
    memcpy(salts, log->salts, sizeof salts);
    log->left = 0;
    pthread_mutex_unlock(&log->lock);
    int result = log_sync_all(log, SQLITE_SYNC_NORMAL);
    if (result == SQLITE_OK && frame > 0) put_note(log, frame, salts);
    return result;
}

int64_t page_sums_sync_nanoseconds(struct page_sums_log *log) { return atomic_load(&log->nanoseconds); }

int64_t page_sums_log_pages(struct page_sums_log *log) { return log->pages; }
