#define _GNU_SOURCE
#include "supervisor.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct entry {
    pid_t pid, parent, group;
    int is_dead, is_ours;
    long long start_time;
};

// The line may hold blanks and brackets in the program's name: fields are counted from its last bracket (proc(5)).
static int read_entry(const char *name, struct entry *entry) {
    char path[64], line[1024];
    snprintf(path, sizeof path, "/proc/%s/stat", name);
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) return -1;
    ssize_t count = read(file, line, sizeof line - 1);
    close(file);
    if (count <= 0) return -1;
    line[count] = 0;
    char *rest = strrchr(line, ')');
    if (rest == NULL) return -1;
    char state;
    int parent, group;
    entry->pid = (pid_t)atoi(line);
    const char *form = " %c %d %d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %lld";
    if (sscanf(rest + 1, form, &state, &parent, &group, &entry->start_time) != 4) return -1;
    entry->parent = parent;
    entry->group = group;
    entry->is_dead = state == 'Z' || state == 'X';
    entry->is_ours = parent == getpid();
    return 0;
}

int64_t start_time_of(pid_t pid) {
    char name[16];
    struct entry entry;
    snprintf(name, sizeof name, "%d", (int)pid);
    return read_entry(name, &entry) == 0 ? entry.start_time : 0;
}

const char *boot_id(void) {
    static char id[64];
    int file = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    ssize_t count = file < 0 ? 0 : read(file, id, sizeof id - 1);
    if (file >= 0) close(file);
    for (ssize_t i = 0; i < count; i++)
        if (id[i] == '\n') id[i] = 0;
    return id;
}

// Everything that comes from this program; the caller frees it.
static struct entry *descendants(size_t *count) {
    *count = 0;
    DIR *folder = opendir("/proc");
    if (folder == NULL) return NULL;
    size_t room = 512, all = 0;
    struct entry *entries = malloc(room * sizeof *entries);
    struct dirent *item;
    while (entries != NULL && (item = readdir(folder)) != NULL) {
        if (item->d_name[0] < '1' || item->d_name[0] > '9') continue;
        if (all == room) {
            room *= 2;
            struct entry *more = realloc(entries, room * sizeof *entries);
            if (more == NULL) break;
            entries = more;
        }
        if (read_entry(item->d_name, &entries[all]) == 0) all++;
    }
    closedir(folder);
    if (entries == NULL) return NULL;
    for (int changed = 1; changed;) {
        changed = 0;
        for (size_t i = 0; i < all; i++) {
            if (entries[i].is_ours) continue;
            for (size_t k = 0; k < all && !entries[i].is_ours; k++)
                changed |= entries[i].is_ours = entries[k].is_ours && entries[k].pid == entries[i].parent;
        }
    }
    for (size_t i = 0; i < all; i++)
        if (entries[i].is_ours && !entries[i].is_dead) entries[(*count)++] = entries[i];
    return entries;
}

int signal_tree(pid_t leader, int number) {
    kill(-leader, number);
    size_t count;
    struct entry *entries = descendants(&count);
    for (size_t i = 0; entries != NULL && i < count; i++)
        if (entries[i].group != leader) kill(entries[i].pid, number);
    free(entries);
    // What was stopped cannot clean up.
    if (number == SIGTERM) kill(-leader, SIGCONT);
    return (int)count;
}
