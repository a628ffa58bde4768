#define _GNU_SOURCE
#include "supervisor.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// The order is records `key=value`, each closed by a NUL, with an empty one at the end: half an order has none.
enum { MAX_ORDER = 64 * 1024 * 1024 };

static char *read_all(size_t *length) {
    size_t room = 65536;
    char *bytes = malloc(room);
    *length = 0;
    while (bytes != NULL) {
        ssize_t count = read(0, bytes + *length, room - *length);
        if (count < 0) return NULL;
        if (count == 0) return bytes;
        *length += (size_t)count;
        if (*length < room) continue;
        if (room >= MAX_ORDER) return NULL;
        room *= 2;
        char *more = realloc(bytes, room);
        if (more == NULL) free(bytes);
        bytes = more;
    }
    return NULL;
}

static int resource_of(const char *name, size_t length) {
    static const struct { const char *name; int resource; } known[] = {
        {"as", RLIMIT_AS}, {"core", RLIMIT_CORE}, {"cpu", RLIMIT_CPU}, {"data", RLIMIT_DATA},
        {"fsize", RLIMIT_FSIZE}, {"memlock", RLIMIT_MEMLOCK}, {"nofile", RLIMIT_NOFILE}, {"nproc", RLIMIT_NPROC},
        {"stack", RLIMIT_STACK},
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (strlen(known[i].name) == length && memcmp(known[i].name, name, length) == 0) return known[i].resource;
    return -1;
}

static int take_rlimit(struct order *order, const char *text) {
    const char *colon = strchr(text, ':');
    if (colon == NULL || order->rlimit_count == MAX_RLIMITS) return -1;
    int resource = resource_of(text, (size_t)(colon - text));
    if (resource < 0) return -1;
    order->rlimits[order->rlimit_count].resource = resource;
    order->rlimits[order->rlimit_count++].value = (rlim_t)strtoull(colon + 1, NULL, 10);
    return 0;
}

// A file, then the place where it is seen.
static int take_bind(struct order *order, const char *file, const char *place) {
    if (order->bind_count == MAX_BINDS) return -1;
    if (file != NULL) order->binds[order->bind_count].file = file;
    if (place == NULL) return 0;
    if (order->binds[order->bind_count].file == NULL) return -1;
    order->binds[order->bind_count++].place = place;
    return 0;
}

static int is(const char *record, const char *key, const char **value) {
    size_t length = strlen(key);
    if (strncmp(record, key, length) != 0 || record[length] != '=') return 0;
    *value = record + length + 1;
    return 1;
}

static int take(struct order *order, char *record, size_t *arguments, size_t *variables) {
    const char *value;
    if (is(record, "cwd", &value)) order->cwd = value;
    else if (is(record, "log", &value)) order->log = value;
    else if (is(record, "program", &value)) order->program = value;
    else if (is(record, "cgroup", &value)) order->cgroup = value;
    else if (is(record, "log_limit", &value)) order->log_limit = strtoll(value, NULL, 10);
    else if (is(record, "timeout_ms", &value)) order->timeout_ms = strtoll(value, NULL, 10);
    else if (is(record, "grace_ms", &value)) order->grace_ms = strtoll(value, NULL, 10);
    else if (is(record, "uid", &value)) order->uid = strtoll(value, NULL, 10);
    else if (is(record, "gid", &value)) order->gid = strtoll(value, NULL, 10);
    else if (is(record, "rlimit", &value)) return take_rlimit(order, value);
    else if (is(record, "bind", &value)) return take_bind(order, value, NULL);
    else if (is(record, "onto", &value)) return take_bind(order, NULL, value);
    else if (is(record, "arg", &value)) order->arguments[(*arguments)++] = (char *)value;
    else if (is(record, "env", &value)) order->environment[(*variables)++] = (char *)value;
    else return -1;
    return 0;
}

int read_order(struct order *order) {
    order->timeout_ms = order->uid = order->gid = -1;
    order->memory = read_all(&order->length);
    if (order->memory == NULL || order->length < 2) return -1;
    if (order->memory[order->length - 1] != 0 || order->memory[order->length - 2] != 0) return -1;
    size_t records = 0;
    for (size_t i = 0; i < order->length; i++) records += order->memory[i] == 0;
    order->arguments = calloc(records + 1, sizeof(char *));
    order->environment = calloc(records + 1, sizeof(char *));
    if (order->arguments == NULL || order->environment == NULL) return -1;
    size_t arguments = 0, variables = 0;
    for (char *record = order->memory; *record != 0; record += strlen(record) + 1)
        if (take(order, record, &arguments, &variables) != 0) return -1;
    return order->cwd && order->log && order->program && arguments > 0 ? 0 : -1;
}

// The command has its own copy by now; this program needs the limits only, and the name of the cgroup.
void forget_order(struct order *order) {
    for (char **entry = order->environment; *entry != NULL; entry++) explicit_bzero(*entry, strlen(*entry));
    order->environment[0] = NULL;
}
