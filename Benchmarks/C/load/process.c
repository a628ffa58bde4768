// CPU, memory and written bytes of the servers, from /proc.
#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "load.h"

enum { MAX_PROCESSES = 4096 };

struct process {
    int pid, parent;
    unsigned long long ticks;
};

static bool read_process(int pid, struct process *process) {
    char path[64], text[1024];
    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    FILE *file = fopen(path, "r");
    if (file == NULL) return false;
    size_t length = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    text[length] = 0;
    // The name is in brackets and may hold anything; the last bracket ends it.
    char *rest = strrchr(text, ')');
    if (rest == NULL) return false;
    int parent;
    unsigned long long user, system;
    long long children_user, children_system;
    int fields = sscanf(
        rest + 2, "%*c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu %lld %lld", &parent, &user, &system,
        &children_user, &children_system);
    if (fields != 5) return false;
    process->pid = pid;
    process->parent = parent;
    process->ticks = user + system;
    // Reaped children count with the tree they belonged to.
    if (options.tree) process->ticks += (unsigned long long)(children_user + children_system);
    return true;
}

static long field_kib(const char *path, const char *name) {
    FILE *file = fopen(path, "r");
    if (file == NULL) return 0;
    char line[256];
    long value = 0;
    size_t length = strlen(name);
    while (fgets(line, sizeof line, file) != NULL) {
        if (strncmp(line, name, length) == 0 && line[length] == ':') {
            value = atol(line + length + 1);
            break;
        }
    }
    fclose(file);
    return value;
}

static void add_process(const struct process *process, struct usage *usage) {
    char path[64];
    usage->cpu_seconds += (double)process->ticks / (double)sysconf(_SC_CLK_TCK);
    usage->processes++;
    snprintf(path, sizeof path, "/proc/%d/status", process->pid);
    usage->rss_kib += field_kib(path, "VmRSS");
    usage->anonymous_kib += field_kib(path, "RssAnon");
    snprintf(path, sizeof path, "/proc/%d/smaps_rollup", process->pid);
    usage->proportional_kib += field_kib(path, "Pss");
    snprintf(path, sizeof path, "/proc/%d/io", process->pid);
    usage->written_bytes += (unsigned long long)field_kib(path, "write_bytes");
}

static int all_processes(struct process *processes) {
    DIR *folder = opendir("/proc");
    if (folder == NULL) return 0;
    int count = 0;
    struct dirent *entry;
    while (count < MAX_PROCESSES && (entry = readdir(folder)) != NULL) {
        if (isdigit((unsigned char)entry->d_name[0]) && read_process(atoi(entry->d_name), &processes[count])) count++;
    }
    closedir(folder);
    return count;
}

struct usage usage_now(void) {
    struct usage usage = {0};
    if (!options.tree) {
        struct process process;
        for (int index = 0; index < options.pid_count; index++)
            if (read_process(options.pids[index], &process)) add_process(&process, &usage);
        return usage;
    }
    static struct process processes[MAX_PROCESSES];
    static bool belongs[MAX_PROCESSES];
    int count = all_processes(processes);
    memset(belongs, 0, sizeof belongs);
    bool found = true;
    while (found) {
        found = false;
        for (int index = 0; index < count; index++) {
            if (belongs[index]) continue;
            for (int root = 0; root < options.pid_count; root++)
                if (processes[index].pid == options.pids[root]) belongs[index] = true;
            for (int other = 0; other < count && !belongs[index]; other++)
                if (belongs[other] && processes[other].pid == processes[index].parent) belongs[index] = true;
            if (belongs[index]) found = true;
        }
    }
    for (int index = 0; index < count; index++)
        if (belongs[index]) add_process(&processes[index], &usage);
    return usage;
}
