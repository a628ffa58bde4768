// NATS JetStream: publish with a reply inbox; the stream's acknowledgement comes to that inbox.
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "load.h"

static void prepare(void) {}

// The server speaks first (INFO); we are ready when it has answered our PING.
static void open_nats(struct connection *connection) { (void)connection; }

static void write_request(struct lane *lane) {
    struct buffer *out = &lane->connection->out;
    buffer_format(out, "PUB %s _INBOX.bench.%d %zu\r\n", options.target, lane->connection->number, load_body_length);
    buffer_add(out, load_body, load_body_length);
    buffer_text(out, "\r\n");
}

static bool message(struct connection *connection, char *head, size_t length, size_t line_length, size_t *whole) {
    // MSG <subject> <sid> <bytes>
    char *space = memrchr(head, ' ', line_length);
    size_t bytes = strtoul(space + 1, NULL, 10);
    *whole = line_length + 2 + bytes + 2;
    if (length < *whole) return false;
    bool good = memmem(head + line_length + 2, bytes, "\"seq\"", 5) != NULL;
    if (!good) fprintf(stderr, "load: nats says %.*s\n", (int)bytes, head + line_length + 2);
    load_answered(&connection->lanes[0], good, NULL, 0);
    return true;
}

static bool read_answers(struct connection *connection) {
    struct buffer *in = &connection->in;
    while (buffer_length(in) > 0) {
        char *head = buffer_head(in);
        size_t length = buffer_length(in);
        char *line = memmem(head, length, "\r\n", 2);
        if (line == NULL) return true;
        size_t line_length = (size_t)(line - head);
        size_t whole = line_length + 2;
        if (strncmp(head, "INFO", 4) == 0) {
            if (connection->phase != READY)
                buffer_format(&connection->out,
                    "CONNECT {\"verbose\":false,\"pedantic\":false,\"name\":\"bench\",\"lang\":\"c\",\"version\":\"1\","
                    "\"protocol\":1}\r\nSUB _INBOX.bench.%d 1\r\nPING\r\n",
                    connection->number);
        } else if (strncmp(head, "PING", 4) == 0) {
            buffer_text(&connection->out, "PONG\r\n");
        } else if (strncmp(head, "PONG", 4) == 0) {
            load_ready(connection);
        } else if (strncmp(head, "MSG ", 4) == 0) {
            if (!message(connection, head, length, line_length, &whole)) return true;
        } else if (head[0] == '-') {
            fprintf(stderr, "load: nats says %.*s\n", (int)line_length, head);
            return false;
        }
        buffer_take(in, whole);
    }
    return true;
}

const struct protocol nats_protocol = {"nats", prepare, open_nats, read_answers, write_request};
