#include "Damage.h"

#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

// An error of SQLite is a number: the place is kept here until whoever puts the error into words asks for it.
// One entry per database; a process has very few of them open, the oldest entry makes room.

enum { ENTRIES = 64 };

static struct {
    char *database;
    int is_damaged, is_unsynced;
    page_damage damage;
    uint64_t age;
} entries[ENTRIES];
static uint64_t clock_of_entries;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/// The one name of a file, however it was spelled; NULL without memory.
static char *canonical(const char *path) {
    char *name = realpath(path, NULL);
    return name != NULL ? name : strdup(path);
}

static int find(const char *database) {
    for (int i = 0; i < ENTRIES; i++) {
        if (entries[i].database != NULL && strcmp(entries[i].database, database) == 0) return i;
    }
    return -1;
}

/// The entry of a database, whose name it keeps; with the lock.
static int take(char *database) {
    int place = find(database);
    if (place >= 0) {
        free(database);
    } else {
        place = 0;
        for (int i = 1; i < ENTRIES; i++) {
            if (entries[i].age < entries[place].age) place = i;
        }
        free(entries[place].database);
        entries[place].database = database;
        entries[place].is_damaged = entries[place].is_unsynced = 0;
    }
    entries[place].age = ++clock_of_entries;
    return place;
}

void page_sums_remember(const char *path, page_damage damage) {
    char *name = strdup(path == NULL ? "" : path);
    if (name == NULL) return;
    size_t length = strlen(name);
    if (damage.frame >= 0 && length > 4) name[length - 4] = 0; // "-wal"
    char *database = canonical(name);
    free(name);
    if (database == NULL) return;
    pthread_mutex_lock(&lock);
    int place = take(database);
    entries[place].is_damaged = 1;
    entries[place].damage = damage;
    pthread_mutex_unlock(&lock);
}

void page_sums_remember_unsynced(const char *path) {
    char *database = canonical(path == NULL ? "" : path);
    if (database == NULL) return;
    pthread_mutex_lock(&lock);
    entries[take(database)].is_unsynced = 1;
    pthread_mutex_unlock(&lock);
}

int page_sums_is_unsynced(const char *path) {
    char *database = canonical(path == NULL ? "" : path);
    if (database == NULL) return 1;
    pthread_mutex_lock(&lock);
    int place = find(database);
    int is_unsynced = place >= 0 && entries[place].is_unsynced;
    pthread_mutex_unlock(&lock);
    free(database);
    return is_unsynced;
}

int page_sums_damage(const char *path, page_damage *damage) {
    char *database = canonical(path);
    if (database == NULL) return 0;
    pthread_mutex_lock(&lock);
    int place = find(database);
    int is_damaged = place >= 0 && entries[place].is_damaged;
    if (is_damaged) *damage = entries[place].damage;
    pthread_mutex_unlock(&lock);
    free(database);
    return is_damaged;
}

void page_sums_forget(const char *path) {
    char *database = canonical(path);
    if (database == NULL) return;
    pthread_mutex_lock(&lock);
    int place = find(database);
    if (place >= 0) {
        free(entries[place].database);
        entries[place].database = NULL;
        entries[place].age = 0;
    }
    pthread_mutex_unlock(&lock);
    free(database);
}
