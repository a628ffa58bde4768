// AMQP 0-9-1 with publisher confirms: one channel per publisher, persistent messages through the default exchange to
// the durable classic queue --target.
#include <stdio.h>
#include <string.h>

#include "load.h"

enum { METHOD = 1, HEADER = 2, BODY = 3, HEARTBEAT = 8, FRAME_END = 0xCE };

static struct buffer *publish;      // by channel

static size_t begin(struct buffer *buffer, int type, int channel) {
    buffer_u8(buffer, (uint8_t)type);
    buffer_u16(buffer, (uint16_t)channel);
    size_t at = buffer->end;
    buffer_u32(buffer, 0);
    return at;
}

static void end(struct buffer *buffer, size_t at) {
    uint32_t length = (uint32_t)(buffer->end - at - 4);
    for (int byte = 0; byte < 4; byte++) buffer->bytes[at + (size_t)byte] = (char)(length >> (24 - 8 * byte));
    buffer_u8(buffer, FRAME_END);
}

static void method(struct buffer *buffer, int class, int number) {
    buffer_u16(buffer, (uint16_t)class);
    buffer_u16(buffer, (uint16_t)number);
}

static void short_text(struct buffer *buffer, const char *text) {
    buffer_u8(buffer, (uint8_t)strlen(text));
    buffer_text(buffer, text);
}

static void prepare(void) {
    static struct buffer frames[65536];
    publish = frames;
    for (int channel = 1; channel <= options.lanes; channel++) {
        struct buffer *out = &publish[channel];
        size_t at = begin(out, METHOD, channel);
        method(out, 60, 40);                    // basic.publish
        buffer_u16(out, 0);
        short_text(out, "");
        short_text(out, options.target);
        buffer_u8(out, 0);
        end(out, at);
        at = begin(out, HEADER, channel);
        buffer_u16(out, 60);
        buffer_u16(out, 0);
        buffer_u64(out, load_body_length);
        buffer_u16(out, 0x9000);                // content type, delivery mode
        short_text(out, "application/json");
        buffer_u8(out, 2);                      // persistent
        end(out, at);
        at = begin(out, BODY, channel);
        buffer_add(out, load_body, load_body_length);
        end(out, at);
    }
}

static void open_amqp(struct connection *connection) { buffer_add(&connection->out, "AMQP\0\0\x09\x01", 8); }

static void write_request(struct lane *lane) {
    struct buffer *frames = &publish[lane->number + 1];
    buffer_add(&lane->connection->out, frames->bytes, frames->end);
}

static void start_ok(struct buffer *out) {
    static const char secret[] = "\0guest\0guest";
    size_t at = begin(out, METHOD, 0);
    method(out, 10, 11);
    buffer_u32(out, 0);                         // no client properties
    short_text(out, "PLAIN");
    buffer_u32(out, sizeof secret - 1);
    buffer_add(out, secret, sizeof secret - 1);
    short_text(out, "en_US");
    end(out, at);
}

static void tune_ok(struct buffer *out, const unsigned char *tune) {
    size_t at = begin(out, METHOD, 0);
    method(out, 10, 31);
    buffer_add(out, tune, 6);                   // the server's channel and frame limits
    buffer_u16(out, 0);                         // no heartbeats
    end(out, at);
    at = begin(out, METHOD, 0);
    method(out, 10, 40);                        // connection.open
    short_text(out, "/");
    short_text(out, "");
    buffer_u8(out, 0);
    end(out, at);
}

static void open_channels(struct buffer *out) {
    for (int channel = 1; channel <= options.lanes; channel++) {
        size_t at = begin(out, METHOD, channel);
        method(out, 20, 10);                    // channel.open
        short_text(out, "");
        end(out, at);
        if (channel == 1) {
            at = begin(out, METHOD, channel);
            method(out, 50, 10);                // queue.declare
            buffer_u16(out, 0);
            short_text(out, options.target);
            buffer_u8(out, 2);                  // durable
            buffer_u32(out, 0);
            end(out, at);
        }
        at = begin(out, METHOD, channel);
        method(out, 85, 10);                    // confirm.select
        buffer_u8(out, 0);
        end(out, at);
    }
}

static bool take_method(struct connection *connection, int channel, const unsigned char *payload) {
    unsigned name = (unsigned)(payload[0] << 8 | payload[1]) << 16 | (unsigned)(payload[2] << 8 | payload[3]);
    struct buffer *out = &connection->out;
    switch (name) {
    case 10 << 16 | 10: start_ok(out); return true;
    case 10 << 16 | 30: tune_ok(out, payload + 4); return true;
    case 10 << 16 | 41: open_channels(out); return true;
    case 20 << 16 | 11:
    case 50 << 16 | 11: return true;
    case 85 << 16 | 11:
        if (++connection->ready_lanes == options.lanes) load_ready(connection);
        return true;
    // Each channel has one message on its way, so an acknowledgement is always for that one.
    case 60 << 16 | 80: load_answered(&connection->lanes[channel - 1], true, NULL, 0); return true;
    case 60 << 16 | 120: load_answered(&connection->lanes[channel - 1], false, NULL, 0); return true;
    case 10 << 16 | 50:
    case 20 << 16 | 40:
        fprintf(stderr, "load: rabbitmq closes: %.*s\n", payload[6], payload + 7);
        return false;
    default: fprintf(stderr, "load: method %u.%u is not expected\n", name >> 16, name & 0xffff); return false;
    }
}

static bool read_answers(struct connection *connection) {
    struct buffer *in = &connection->in;
    while (buffer_length(in) >= 8) {
        unsigned char *head = (unsigned char *)buffer_head(in);
        if (head[0] == 'A') {
            fprintf(stderr, "load: this is not an AMQP 0-9-1 server\n");
            return false;
        }
        int channel = head[1] << 8 | head[2];
        size_t length = (size_t)head[3] << 24 | (size_t)head[4] << 16 | (size_t)head[5] << 8 | head[6];
        if (buffer_length(in) < length + 8) return true;
        if (head[length + 7] != FRAME_END) return false;
        if (head[0] == METHOD && !take_method(connection, channel, head + 7)) return false;
        buffer_take(in, length + 8);
    }
    return true;
}

const struct protocol amqp_protocol = {"amqp", prepare, open_amqp, read_answers, write_request};
