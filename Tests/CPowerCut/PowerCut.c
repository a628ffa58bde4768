#include "CPowerCut.h"

#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// One lock over everything: the copy is of one moment, between two operations of whichever threads.

typedef struct change {
    /// A write, or with `bytes` NULL a truncation to `offset`.
    int64_t offset;
    uint8_t *bytes;
    int64_t count;
} change;

/// What a disk holds of one file: `bytes` for certain, the changes perhaps.
typedef struct shadow {
    struct shadow *next;
    char *path;
    uint8_t *bytes;
    int64_t count;
    change *changes;
    int64_t changes_count, changes_room;
    /// How many changes before these were synced.
    int64_t synced;
    /// Its name is in the folder for certain, respectively is perhaps still there.
    int is_linked, is_deleted;
} shadow;

typedef struct folder {
    struct folder *next;
    char *path;
    shadow *files;
    int64_t operations;
    /// How long a sync takes, in microseconds.
    int64_t delay;
    int fails, holds, loses;
    // Armed while `left` is above 0.
    int64_t left;
    uint64_t seed;
    int keeps_some;
    char *target;
    power_cut_event event;
    void *context;
} folder;

typedef struct file {
    sqlite3_file base;
    sqlite3_file *below;
    folder *folder;
    shadow *shadow;
    /// Its first sync syncs the folder too, as SQLite does for a journal that it made.
    int syncs_folder;
} file;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t released = PTHREAD_COND_INITIALIZER;
static folder *folders;
static sqlite3_vfs *lower;
static sqlite3_vfs vfs;

static uint64_t next_random(uint64_t *seed) {
    uint64_t word = *seed += 0x9E3779B97F4A7C15u;
    word = (word ^ word >> 30) * 0xBF58476D1CE4E5B9u;
    word = (word ^ word >> 27) * 0x94D049BB133111EBu;
    return word ^ word >> 31;
}

// The shadows. The lock is held.

static folder *folder_named(const char *path) {
    for (folder *one = folders; one != NULL; one = one->next) {
        if (strcmp(one->path, path) == 0) return one;
    }
    return NULL;
}

static folder *folder_of(const char *path) {
    for (folder *one = folders; path != NULL && one != NULL; one = one->next) {
        size_t length = strlen(one->path);
        if (strncmp(one->path, path, length) == 0 && path[length] == '/') return one;
    }
    return NULL;
}

static shadow *shadow_of(folder *folder, const char *path) {
    for (shadow *one = folder->files; one != NULL; one = one->next) {
        if (!one->is_deleted && strcmp(one->path, path) == 0) return one;
    }
    return NULL;
}

static void put(uint8_t **bytes, int64_t *count, const uint8_t *from, int64_t length, int64_t offset) {
    if (offset + length > *count) {
        *bytes = realloc(*bytes, (size_t)(offset + length));
        memset(*bytes + *count, 0, (size_t)(offset + length - *count));
        *count = offset + length;
    }
    memcpy(*bytes + offset, from, (size_t)length);
}

static void resize(int64_t *count, int64_t length) {
    if (length < *count) *count = length;
}

static void forget_changes(shadow *file, int64_t count) {
    for (int64_t i = 0; i < count; i++) free(file->changes[i].bytes);
    file->changes_count -= count;
    memmove(file->changes, file->changes + count, (size_t)file->changes_count * sizeof(change));
    file->synced += count;
}

static void free_shadow(shadow *file) {
    if (file->changes_count > 0) forget_changes(file, file->changes_count);
    free(file->changes);
    free(file->bytes);
    free(file->path);
    free(file);
}

static void note(shadow *file, const void *bytes, int64_t count, int64_t offset) {
    if (file->changes_count == file->changes_room) {
        file->changes_room = file->changes_room == 0 ? 64 : 2 * file->changes_room;
        file->changes = realloc(file->changes, (size_t)file->changes_room * sizeof(change));
    }
    change *one = &file->changes[file->changes_count++];
    *one = (change){.offset = offset, .count = count};
    if (bytes != NULL) {
        one->bytes = malloc((size_t)count);
        memcpy(one->bytes, bytes, (size_t)count);
    }
}

/// Puts the changes with numbers below `end` on the disk.
static void sync_file(shadow *file, int64_t end) {
    int64_t count = end - file->synced;
    if (count <= 0) return;
    for (int64_t i = 0; i < count; i++) {
        change *one = &file->changes[i];
        if (one->bytes != NULL) {
            put(&file->bytes, &file->count, one->bytes, one->count, one->offset);
        } else {
            resize(&file->count, one->offset);
        }
    }
    forget_changes(file, count);
}

static void sync_folder(folder *folder) {
    shadow **place = &folder->files;
    while (*place != NULL) {
        shadow *file = *place;
        file->is_linked = 1;
        if (file->is_deleted) {
            *place = file->next;
            free_shadow(file);
        } else {
            place = &file->next;
        }
    }
}

// The cut.

/// Puts a seeded choice of one change upon the bytes: none of it, all, or some of its sectors.
static void keep_some(const change *one, uint8_t **bytes, int64_t *count, uint64_t *seed) {
    enum { SECTOR = 512 };
    uint64_t choice = next_random(seed) % 3;
    if (choice == 0) return;
    if (one->bytes == NULL) {
        resize(count, one->offset);
        return;
    }
    int64_t at = 0;
    while (at < one->count) {
        int64_t part = SECTOR - (one->offset + at) % SECTOR;
        if (part > one->count - at) part = one->count - at;
        if (choice == 1 || next_random(seed) % 2 == 0) put(bytes, count, one->bytes + at, part, one->offset + at);
        at += part;
    }
}

static void write_copy(const folder *folder, const shadow *file, uint64_t *seed) {
    uint8_t *bytes = malloc((size_t)file->count + 1);
    int64_t count = file->count;
    if (count > 0) memcpy(bytes, file->bytes, (size_t)count);
    for (int64_t i = 0; folder->keeps_some && i < file->changes_count; i++) {
        keep_some(&file->changes[i], &bytes, &count, seed);
    }
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", folder->target, strrchr(file->path, '/') + 1);
    FILE *copy = fopen(path, "w");
    if (copy != NULL) {
        if (count > 0) fwrite(bytes, 1, (size_t)count, copy);
        fclose(copy);
    }
    free(bytes);
}

static void cut(folder *folder) {
    folder->event(folder->context, 0);
    uint64_t seed = folder->seed;
    // What was deleted first: a file of the same name that came after it goes over it.
    for (int deleted = 1; deleted >= 0; deleted--) {
        for (shadow *file = folder->files; file != NULL; file = file->next) {
            if (file->is_deleted != deleted) continue;
            int is_certain = file->is_linked && !file->is_deleted;
            int is_there = folder->keeps_some ? next_random(&seed) % 2 == 0 : file->is_linked;
            if (is_certain || is_there) write_copy(folder, file, &seed);
        }
    }
    folder->event(folder->context, 1);
}

static void count_operation(folder *folder) {
    folder->operations++;
    if (folder->left > 0 && --folder->left == 0) cut(folder);
}

// The methods of a file.

static sqlite3_file *below(sqlite3_file *base) { return ((file *)base)->below; }

static int cut_close(sqlite3_file *base) {
    int result = below(base)->pMethods->xClose(below(base));
    sqlite3_free(below(base));
    return result;
}

static int cut_read(sqlite3_file *base, void *bytes, int count, sqlite3_int64 offset) {
    return below(base)->pMethods->xRead(below(base), bytes, count, offset);
}

static int cut_write(sqlite3_file *base, const void *bytes, int count, sqlite3_int64 offset) {
    file *self = (file *)base;
    if (self->shadow == NULL) return below(base)->pMethods->xWrite(below(base), bytes, count, offset);
    pthread_mutex_lock(&lock);
    int result = below(base)->pMethods->xWrite(below(base), bytes, count, offset);
    if (result == SQLITE_OK) {
        note(self->shadow, bytes, count, offset);
        count_operation(self->folder);
    }
    pthread_mutex_unlock(&lock);
    return result;
}

static int cut_truncate(sqlite3_file *base, sqlite3_int64 size) {
    file *self = (file *)base;
    if (self->shadow == NULL) return below(base)->pMethods->xTruncate(below(base), size);
    pthread_mutex_lock(&lock);
    int result = below(base)->pMethods->xTruncate(below(base), size);
    if (result == SQLITE_OK) {
        note(self->shadow, NULL, 0, size);
        count_operation(self->folder);
    }
    pthread_mutex_unlock(&lock);
    return result;
}

static int cut_sync(sqlite3_file *base, int flags) {
    file *self = (file *)base;
    if (self->shadow == NULL) return below(base)->pMethods->xSync(below(base), flags);
    pthread_mutex_lock(&lock);
    // What is written while the disk is at it is not in this sync.
    int64_t end = self->shadow->synced + self->shadow->changes_count;
    int64_t delay = self->folder->delay;
    if (delay > 0) {
        pthread_mutex_unlock(&lock);
        usleep((useconds_t)delay);
        pthread_mutex_lock(&lock);
    }
    while (self->folder->holds) pthread_cond_wait(&released, &lock);
    int fails = self->folder->fails;
    const char *ending = strrchr(self->shadow->path, '.');
    if (self->folder->loses && ending != NULL && strcmp(ending, ".sqlite") == 0) {
        self->folder->loses = 0;
        fails = 1;
        forget_changes(self->shadow, self->shadow->changes_count);
    }
    // Before: the cut comes while the disk is at it.
    count_operation(self->folder);
    if (!fails) {
        sync_file(self->shadow, end);
        if (self->syncs_folder) sync_folder(self->folder);
        self->syncs_folder = 0;
    }
    pthread_mutex_unlock(&lock);
    return fails ? SQLITE_IOERR_FSYNC : SQLITE_OK;
}

static int cut_size(sqlite3_file *base, sqlite3_int64 *size) {
    return below(base)->pMethods->xFileSize(below(base), size);
}

static int cut_lock(sqlite3_file *base, int level) { return below(base)->pMethods->xLock(below(base), level); }

static int cut_unlock(sqlite3_file *base, int level) { return below(base)->pMethods->xUnlock(below(base), level); }

static int cut_check_lock(sqlite3_file *base, int *is_locked) {
    return below(base)->pMethods->xCheckReservedLock(below(base), is_locked);
}

static int cut_control(sqlite3_file *base, int operation, void *argument) {
    return below(base)->pMethods->xFileControl(below(base), operation, argument);
}

static int cut_sector(sqlite3_file *base) { return below(base)->pMethods->xSectorSize(below(base)); }

static int cut_traits(sqlite3_file *base) { return below(base)->pMethods->xDeviceCharacteristics(below(base)); }

static int cut_map(sqlite3_file *base, int region, int size, int extend, void volatile **memory) {
    return below(base)->pMethods->xShmMap(below(base), region, size, extend, memory);
}

static int cut_shm_lock(sqlite3_file *base, int offset, int count, int flags) {
    return below(base)->pMethods->xShmLock(below(base), offset, count, flags);
}

static void cut_barrier(sqlite3_file *base) { below(base)->pMethods->xShmBarrier(below(base)); }

static int cut_unmap(sqlite3_file *base, int delete) { return below(base)->pMethods->xShmUnmap(below(base), delete); }

static const sqlite3_io_methods methods = {
    2, cut_close, cut_read, cut_write, cut_truncate, cut_sync, cut_size, cut_lock, cut_unlock, cut_check_lock,
    cut_control, cut_sector, cut_traits, cut_map, cut_shm_lock, cut_barrier, cut_unmap, NULL, NULL,
};

// The methods of the VFS.

static int cut_open(sqlite3_vfs *self_vfs, const char *path, sqlite3_file *base, int flags, int *flags_out) {
    (void)self_vfs;
    file *self = (file *)base;
    *self = (file){.below = sqlite3_malloc(lower->szOsFile)};
    if (self->below == NULL) return SQLITE_NOMEM;
    memset(self->below, 0, (size_t)lower->szOsFile);
    pthread_mutex_lock(&lock);
    folder *folder = folder_of(path);
    int exists = 0;
    if (folder != NULL) lower->xAccess(lower, path, SQLITE_ACCESS_EXISTS, &exists);
    int result = lower->xOpen(lower, path, self->below, flags, flags_out);
    if (result == SQLITE_OK && folder != NULL) {
        self->folder = folder;
        self->shadow = shadow_of(folder, path);
        if (self->shadow == NULL) {
            self->shadow = calloc(1, sizeof(shadow));
            self->shadow->path = strdup(path);
            self->shadow->is_linked = exists;
            self->shadow->next = folder->files;
            folder->files = self->shadow;
        }
        self->syncs_folder = !exists && (flags & (SQLITE_OPEN_MAIN_JOURNAL | SQLITE_OPEN_WAL)) != 0;
    }
    pthread_mutex_unlock(&lock);
    if (result == SQLITE_OK) {
        base->pMethods = &methods;
    } else {
        if (self->below->pMethods != NULL) self->below->pMethods->xClose(self->below);
        sqlite3_free(self->below);
    }
    return result;
}

static int cut_delete(sqlite3_vfs *self_vfs, const char *path, int sync) {
    (void)self_vfs;
    pthread_mutex_lock(&lock);
    folder *folder = folder_of(path);
    int result = lower->xDelete(lower, path, folder == NULL ? sync : 0);
    if (result == SQLITE_OK && folder != NULL) {
        shadow *file = shadow_of(folder, path);
        if (file != NULL) file->is_deleted = 1;
        if (sync) sync_folder(folder);
    }
    pthread_mutex_unlock(&lock);
    return result;
}

int power_cut_install(void) {
    int result = sqlite3_initialize();
    pthread_mutex_lock(&lock);
    if (result == SQLITE_OK && lower == NULL) {
        lower = sqlite3_vfs_find("unix");
        vfs = *lower;
        vfs.szOsFile = (int)sizeof(file);
        vfs.zName = POWER_CUT_VFS;
        vfs.pNext = NULL;
        vfs.xOpen = cut_open;
        vfs.xDelete = cut_delete;
        result = sqlite3_vfs_register(&vfs, 0);
    }
    pthread_mutex_unlock(&lock);
    return result;
}

void power_cut_watch(const char *path) {
    folder *one = calloc(1, sizeof(folder));
    one->path = strdup(path);
    pthread_mutex_lock(&lock);
    one->next = folders;
    folders = one;
    pthread_mutex_unlock(&lock);
}

void power_cut_unwatch(const char *path) {
    pthread_mutex_lock(&lock);
    for (folder **place = &folders; *place != NULL; place = &(*place)->next) {
        folder *one = *place;
        if (strcmp(one->path, path) != 0) continue;
        *place = one->next;
        while (one->files != NULL) {
            shadow *file = one->files;
            one->files = file->next;
            free_shadow(file);
        }
        free(one->target);
        free(one->path);
        free(one);
        break;
    }
    pthread_mutex_unlock(&lock);
}

void power_cut_disk(const char *path, int64_t sync_microseconds, int sync_fails) {
    pthread_mutex_lock(&lock);
    folder *one = folder_named(path);
    if (one != NULL) {
        one->delay = sync_microseconds;
        one->fails = sync_fails;
    }
    pthread_mutex_unlock(&lock);
}

void power_cut_lose(const char *path) {
    pthread_mutex_lock(&lock);
    folder *one = folder_named(path);
    if (one != NULL) one->loses = 1;
    pthread_mutex_unlock(&lock);
}

void power_cut_hold(const char *path, int holds) {
    pthread_mutex_lock(&lock);
    folder *one = folder_named(path);
    if (one != NULL) one->holds = holds;
    pthread_cond_broadcast(&released);
    pthread_mutex_unlock(&lock);
}

int64_t power_cut_operations(const char *path) {
    pthread_mutex_lock(&lock);
    folder *one = folder_named(path);
    int64_t operations = one != NULL ? one->operations : 0;
    pthread_mutex_unlock(&lock);
    return operations;
}

void power_cut_arm(
    const char *path, int64_t after, uint64_t seed, int keeps_some, const char *target, power_cut_event event,
    void *context) {
    pthread_mutex_lock(&lock);
    folder *one = folder_named(path);
    if (one != NULL) {
        free(one->target);
        one->target = strdup(target);
        one->seed = seed;
        one->keeps_some = keeps_some;
        one->event = event;
        one->context = context;
        one->left = after;
    }
    pthread_mutex_unlock(&lock);
}
