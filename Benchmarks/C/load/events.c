// When executions start and finish, by the daemon's own event stream (server-sent events), on a connection of its own.
// An event may be here before the answer that names the execution, so either side may come first.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "load.h"

enum { SLOTS = 1 << 21, LONGEST_ID = 31 };

struct execution {
    char id[LONGEST_ID + 1];
    uint64_t began, started, finished;
    bool counted, done;
};

struct event_times event_times;
static struct execution *table;
static int descriptor = -1;
static struct buffer in;
static char event[32];
static long sent_count, finished_count;

static struct execution *find(const char *id, size_t length) {
    if (length == 0 || length > LONGEST_ID) load_fail("an execution id of %zu characters", length);
    uint64_t hash = 0xcbf29ce484222325u;
    for (size_t index = 0; index < length; index++) hash = (hash ^ (unsigned char)id[index]) * 0x100000001b3u;
    for (size_t slot = hash % SLOTS;; slot = (slot + 1) % SLOTS) {
        struct execution *execution = &table[slot];
        if (execution->id[0] == 0) memcpy(execution->id, id, length);
        if (strncmp(execution->id, id, length) == 0 && execution->id[length] == 0) return execution;
    }
}

static void settle(struct execution *execution) {
    if (execution->done || execution->began == 0 || execution->finished == 0) return;
    execution->done = true;
    finished_count++;
    if (!execution->counted) return;
    if (execution->started != 0) histogram_add(&event_times.started, execution->started - execution->began);
    histogram_add(&event_times.finished, execution->finished - execution->began);
}

void events_sent(const char *id, size_t length, uint64_t began, bool counted) {
    if (table == NULL || sent_count * 2 > SLOTS) return;
    struct execution *execution = find(id, length);
    execution->began = began;
    execution->counted = counted;
    sent_count++;
    settle(execution);
}

long events_missing(void) { return sent_count - finished_count; }

static void line(const char *text, size_t length) {
    if (length > 7 && strncmp(text, "event: ", 7) == 0) {
        snprintf(event, sizeof event, "%.*s", (int)(length - 7), text + 7);
        return;
    }
    if (length < 6 || strncmp(text, "data: ", 6) != 0) return;
    bool starts = strcmp(event, "execution.started") == 0;
    if (!starts && strcmp(event, "execution.finished") != 0) return;
    static const char name[] = "\"execution_id\":\"";
    const char *found = memmem(text, length, name, sizeof name - 1);
    if (found == NULL) return;
    const char *id = found + sizeof name - 1;
    const char *quote = memchr(id, '"', length - (size_t)(id - text));
    if (quote == NULL) return;
    struct execution *execution = find(id, (size_t)(quote - id));
    if (starts) execution->started = load_now();
    else execution->finished = load_now();
    settle(execution);
}

void events_readable(void) {
    buffer_room(&in, 256 * 1024);
    ssize_t got = recv(descriptor, in.bytes + in.end, in.capacity - in.end, MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (got <= 0) load_fail("the event stream ended; the rate is too high for it");
    in.end += (size_t)got;
    // The sizes of chunks are lines of their own here, which are neither "event:" nor "data:".
    char *newline;
    while ((newline = memchr(buffer_head(&in), '\n', buffer_length(&in))) != NULL) {
        size_t length = (size_t)(newline - buffer_head(&in));
        line(buffer_head(&in), length);
        buffer_take(&in, length + 1);
        if (buffer_length(&in) == 0) break;
    }
}

void events_open(void) {
    table = calloc(SLOTS, sizeof *table);
    if (table == NULL) load_fail("out of memory");
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)options.port)};
    inet_pton(AF_INET, options.host, &address.sin_addr);
    descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (descriptor < 0 || connect(descriptor, (struct sockaddr *)&address, sizeof address) != 0)
        load_fail("the event stream: %s", strerror(errno));
    struct buffer out = {0};
    buffer_format(&out, "GET %s HTTP/1.1\r\nHost: %s:%d\r\n", options.events, options.host, options.port);
    for (int header = 0; header < options.header_count; header++)
        buffer_format(&out, "%s\r\n", options.headers[header]);
    buffer_text(&out, "\r\n");
    if (send(descriptor, out.bytes, out.end, MSG_NOSIGNAL) < 0) load_fail("the event stream: %s", strerror(errno));
    // Subscribed when the first words are here.
    char first[4096];
    size_t length = 0;
    while (memmem(first, length, ": connected", 11) == NULL) {
        if (length == sizeof first) load_fail("the event stream answers something else");
        ssize_t got = recv(descriptor, first + length, sizeof first - length, 0);
        if (got <= 0) load_fail("the event stream ended before it began");
        length += (size_t)got;
    }
}

int events_descriptor(void) { return descriptor; }
