// PostgreSQL, extended protocol: one prepared INSERT per connection, then Bind, Execute, Sync for each message. The row
// has a bigserial key, the message as jsonb and the time. --target is the table; user and database are `bench`.
#include <stdio.h>
#include <string.h>

#include "load.h"

static struct buffer request;

static size_t begin(struct buffer *buffer, char type) {
    buffer_u8(buffer, (uint8_t)type);
    size_t at = buffer->end;
    buffer_u32(buffer, 0);
    return at;
}

static void end(struct buffer *buffer, size_t at) {
    uint32_t length = (uint32_t)(buffer->end - at);
    for (int byte = 0; byte < 4; byte++) buffer->bytes[at + (size_t)byte] = (char)(length >> (24 - 8 * byte));
}

static void prepare(void) {
    size_t at = begin(&request, 'B');
    buffer_add(&request, "\0s\0", 3);           // unnamed portal, statement s
    buffer_u16(&request, 0);                    // parameters as text
    buffer_u16(&request, 1);
    buffer_u32(&request, (uint32_t)load_body_length);
    buffer_add(&request, load_body, load_body_length);
    buffer_u16(&request, 0);
    end(&request, at);
    at = begin(&request, 'E');
    buffer_add(&request, "\0", 1);
    buffer_u32(&request, 0);
    end(&request, at);
    end(&request, begin(&request, 'S'));
}

static void open_postgres(struct connection *connection) {
    struct buffer *out = &connection->out;
    static const char names[] = "user\0bench\0database\0bench\0";
    buffer_u32(out, (uint32_t)(8 + sizeof names));
    buffer_u32(out, 3 << 16);
    buffer_add(out, names, sizeof names);
}

static void write_parse(struct connection *connection) {
    struct buffer *out = &connection->out;
    size_t at = begin(out, 'P');
    buffer_add(out, "s", 2);
    buffer_format(out, "INSERT INTO %s (body, at) VALUES ($1, now())", options.target);
    buffer_u8(out, 0);
    buffer_u16(out, 0);
    end(out, at);
    end(out, begin(out, 'S'));
}

static void write_request(struct lane *lane) { buffer_add(&lane->connection->out, request.bytes, request.end); }

static void complain(const char *fields, size_t length) {
    for (size_t at = 0; at < length && fields[at] != 0;) {
        const char *text = fields + at + 1;
        if (fields[at] == 'M') fprintf(stderr, "load: postgres says: %s\n", text);
        at += 2 + strlen(text);
    }
}

static bool read_answers(struct connection *connection) {
    struct buffer *in = &connection->in;
    while (buffer_length(in) >= 5) {
        unsigned char *head = (unsigned char *)buffer_head(in);
        size_t whole = 1 + ((size_t)head[1] << 24 | (size_t)head[2] << 16 | (size_t)head[3] << 8 | head[4]);
        if (buffer_length(in) < whole) return true;
        switch (head[0]) {
        case 'R':
            if (head[8] != 0) {
                fprintf(stderr, "load: postgres wants a password; pg_hba.conf must say trust\n");
                return false;
            }
            break;
        case 'E':
            complain((char *)head + 5, whole - 5);
            return false;
        case 'Z':
            if (connection->step == 0) {
                connection->step = 1;
                write_parse(connection);
            } else if (connection->step == 1) {
                connection->step = 2;
                load_ready(connection);
            } else {
                load_answered(&connection->lanes[0], true, NULL, 0);
            }
            break;
        default: break;
        }
        buffer_take(in, whole);
    }
    return true;
}

const struct protocol postgres_protocol = {"postgres", prepare, open_postgres, read_answers, write_request};
