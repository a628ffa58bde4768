// HTTP/1.1 keep-alive, one request at a time on each connection, no pipelining.
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "load.h"

struct piece {
    char *bytes;
    size_t length;
};

static struct piece *heads, body;
static long next_path;
static unsigned long long run_mark, next_key;

static void prepare(void) {
    struct buffer lines = {0};
    bool has_body = strcmp(options.method, "GET") != 0;
    if (has_body) {
        for (int line = 0; line < (options.batch > 0 ? options.batch : 1); line++) {
            buffer_add(&lines, load_body, load_body_length);
            if (options.batch > 0) buffer_text(&lines, "\n");
        }
    }
    body = (struct piece){lines.bytes, lines.end};
    heads = calloc((size_t)options.path_count, sizeof *heads);
    for (int index = 0; index < options.path_count; index++) {
        struct buffer head = {0};
        buffer_format(&head, "%s %s HTTP/1.1\r\nHost: %s:%d\r\n", options.method, options.paths[index], options.host,
            options.port);
        for (int header = 0; header < options.header_count; header++)
            buffer_format(&head, "%s\r\n", options.headers[header]);
        if (has_body)
            buffer_format(&head, "Content-Type: %s\r\nContent-Length: %zu\r\n",
                options.batch > 0 ? "application/x-ndjson" : "application/json", body.length);
        heads[index] = (struct piece){head.bytes, head.end};
    }
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    run_mark = (unsigned long long)now.tv_sec * 1000000000ull + (unsigned long long)now.tv_nsec;
}

static void open_http(struct connection *connection) { load_ready(connection); }

static void write_request(struct lane *lane) {
    struct buffer *out = &lane->connection->out;
    struct piece head = heads[next_path++ % options.path_count];
    buffer_add(out, head.bytes, head.length);
    // As long as a UUID, which is what people use.
    if (options.unique_keys) buffer_format(out, "Idempotency-Key: %016llx-%018llx\r\n", run_mark, next_key++);
    buffer_add(out, "\r\n", 2);
    buffer_add(out, body.bytes, body.length);
}

// The value of a header within [head, head + length); NULL when it is not there.
static const char *header(const char *head, size_t length, const char *name) {
    size_t name_length = strlen(name);
    const char *line = head;
    const char *end = head + length;
    while ((line = memchr(line, '\n', (size_t)(end - line))) != NULL) {
        line++;
        if ((size_t)(end - line) > name_length && strncasecmp(line, name, name_length) == 0 && line[name_length] == ':')
            return line + name_length + 1;
    }
    return NULL;
}

// Length of a chunked body at `bytes`; 0 while it is not complete.
static size_t chunked_length(const char *bytes, size_t length) {
    size_t at = 0;
    while (true) {
        const char *line_end = memmem(bytes + at, length - at, "\r\n", 2);
        if (line_end == NULL) return 0;
        size_t size = strtoul(bytes + at, NULL, 16);
        at = (size_t)(line_end - bytes) + 2 + size + 2;
        if (at > length) return 0;
        if (size == 0) return at;
    }
}

static void complain(const char *bytes, size_t length) {
    static int complaints;
    if (complaints++ < 3) fprintf(stderr, "load: refused: %.*s\n", (int)(length < 600 ? length : 600), bytes);
}

static bool read_answers(struct connection *connection) {
    struct buffer *in = &connection->in;
    while (buffer_length(in) > 0) {
        char *head = buffer_head(in);
        size_t length = buffer_length(in);
        char *end = memmem(head, length, "\r\n\r\n", 4);
        if (end == NULL) return length < 65536;
        size_t head_length = (size_t)(end - head) + 4;
        size_t whole;
        const char *content_length = header(head, head_length, "Content-Length");
        if (content_length != NULL) {
            whole = head_length + strtoul(content_length, NULL, 10);
        } else {
            size_t chunks = chunked_length(end + 4, length - head_length);
            if (chunks == 0) return true;
            whole = head_length + chunks;
        }
        if (length < whole) return true;
        bool good = length > 12 && head[9] == '2';
        if (!good) complain(head, whole);
        const char *execution = NULL;
        size_t execution_length = 0;
        if (options.events != NULL && good) {
            static const char name[] = "\"executionId\":\"";
            const char *found = memmem(end, whole - head_length, name, sizeof name - 1);
            if (found != NULL) {
                execution = found + sizeof name - 1;
                const char *quote = memchr(execution, '"', 64);
                execution_length = quote == NULL ? 0 : (size_t)(quote - execution);
            }
        }
        load_answered(&connection->lanes[0], good, execution, execution_length);
        buffer_take(in, whole);
    }
    return true;
}

const struct protocol http_protocol = {"http", prepare, open_http, read_answers, write_request};
