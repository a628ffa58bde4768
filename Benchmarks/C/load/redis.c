// Redis: XADD target * body <json>.
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "load.h"

static struct buffer request;

static void prepare(void) {
    buffer_format(
        &request, "*5\r\n$4\r\nXADD\r\n$%zu\r\n%s\r\n$1\r\n*\r\n$4\r\nbody\r\n$%zu\r\n", strlen(options.target),
        options.target, load_body_length);
    buffer_add(&request, load_body, load_body_length);
    buffer_text(&request, "\r\n");
}

static void open_redis(struct connection *connection) { load_ready(connection); }

static void write_request(struct lane *lane) {
    buffer_add(&lane->connection->out, request.bytes, request.end);
}

static bool read_answers(struct connection *connection) {
    struct buffer *in = &connection->in;
    while (buffer_length(in) > 0) {
        char *head = buffer_head(in);
        size_t length = buffer_length(in);
        char *line = memmem(head, length, "\r\n", 2);
        if (line == NULL) return true;
        size_t whole = (size_t)(line - head) + 2;
        bool good = head[0] == '$';
        if (good) whole += strtoul(head + 1, NULL, 10) + 2;
        else fprintf(stderr, "load: redis says %.*s\n", (int)(line - head), head);
        if (length < whole) return true;
        load_answered(&connection->lanes[0], good, NULL, 0);
        buffer_take(in, whole);
    }
    return true;
}

const struct protocol redis_protocol = {"redis", prepare, open_redis, read_answers, write_request};
