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

void page_sums_remember(const char *path, page_damage damage) {
    char *name = strdup(path == NULL ? "" : path);
    if (name == NULL) return;
    size_t length = strlen(name);
    if (damage.frame >= 0 && length > 4) name[length - 4] = 0; // "-wal"
    char *database = canonical(name);
    free(name);
    if (database == NULL) return;
    pthread_mutex_lock(&lock);
    int place = find(database);
    if (place < 0) {
        place = 0;
        for (int i = 1; i < ENTRIES; i++) {
            if (entries[i].age < entries[place].age) place = i;
        }
    }
    free(entries[place].database);
    entries[place].database = database;
    entries[place].damage = damage;
    entries[place].age = ++clock_of_entries;
    pthread_mutex_unlock(&lock);
}

int page_sums_damage(const char *path, page_damage *damage) {
    char *database = canonical(path);
    if (database == NULL) return 0;
    pthread_mutex_lock(&lock);
    int place = find(database);
    if (place >= 0) *damage = entries[place].damage;
    pthread_mutex_unlock(&lock);
    free(database);
    return place >= 0;
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
