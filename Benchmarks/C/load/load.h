// What the parts of the load generator share: options, connections, lanes, the interface of a protocol.
#ifndef LOAD_H
#define LOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "histogram.h"

enum { MAX_PATHS = 100000, MAX_PIDS = 64, MAX_HEADERS = 16 };

struct options {
    const char *protocol;
    const char *host;
    int port;
    int connections;
    int lanes;              // publishers per connection; more than one only where the protocol has channels
    double seconds;         // of measuring
    double warm_up;         // seconds before that
    double rate;            // open loop: requests per second over all publishers; 0: closed loop
    long count;             // ends after this many answers instead; 0: by time
    size_t body_bytes;
    const char *body_file;
    const char *method;
    char **paths;
    int path_count;
    const char *headers[MAX_HEADERS];
    int header_count;
    bool unique_keys;       // an Idempotency-Key of its own on every request
    int batch;              // NDJSON lines per request; 0: one message per request
    const char *events;     // path of an event stream that tells when executions start and finish
    const char *target;     // stream, subject, queue or statement of the other protocols
    int pids[MAX_PIDS];
    int pid_count;
    bool tree;              // the pids' children count too
};

struct buffer {
    char *bytes;
    size_t start, end, capacity;
};

enum phase { CONNECTING, HANDSHAKE, READY, FAILED };

struct connection;

// One publisher: at most one request of its is unanswered.
struct lane {
    struct connection *connection;
    int number;             // within its connection
    uint64_t began;         // when it was due (open loop) or sent
    bool busy;
};

struct connection {
    int descriptor;
    int number;
    enum phase phase;
    int step;               // of the protocol's handshake
    bool wants_write;
    struct buffer in, out;
    struct lane *lanes;
    int ready_lanes;
};

// What a protocol does; all of it on the one thread.
struct protocol {
    const char *name;
    // Before anything connects: builds what every request repeats.
    void (*prepare)(void);
    // The connection is open: writes the first words, or becomes READY by itself.
    void (*open)(struct connection *);
    // Takes what it can from connection->in; calls load_answered for each answer. False: the peer broke the protocol.
    bool (*read)(struct connection *);
    // Appends one request of the lane to connection->out.
    void (*write)(struct lane *);
};

extern struct options options;
extern const struct protocol http_protocol, redis_protocol, nats_protocol, postgres_protocol, amqp_protocol;

// The payload: one JSON document of options.body_bytes, without characters that need escaping on the way.
extern char *load_body;
extern size_t load_body_length;

uint64_t load_now(void);
void load_ready(struct connection *connection);
void load_answered(struct lane *lane, bool good, const char *execution, size_t length);
void load_fail(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

void buffer_room(struct buffer *buffer, size_t bytes);
void buffer_add(struct buffer *buffer, const void *bytes, size_t length);
void buffer_text(struct buffer *buffer, const char *text);
void buffer_format(struct buffer *buffer, const char *format, ...) __attribute__((format(printf, 2, 3)));
void buffer_u8(struct buffer *buffer, uint8_t value);
void buffer_u16(struct buffer *buffer, uint16_t value);
void buffer_u32(struct buffer *buffer, uint32_t value);
void buffer_u64(struct buffer *buffer, uint64_t value);
static inline size_t buffer_length(const struct buffer *buffer) { return buffer->end - buffer->start; }
static inline char *buffer_head(const struct buffer *buffer) { return buffer->bytes + buffer->start; }
void buffer_take(struct buffer *buffer, size_t length);

// events.c: times of executions, by the daemon's event stream.
struct event_times {
    struct histogram started, finished;
};
extern struct event_times event_times;
void events_open(void);
int events_descriptor(void);
void events_readable(void);
void events_sent(const char *execution, size_t length, uint64_t began, bool counted);
long events_missing(void);

// process.c: what the servers used.
struct usage {
    double cpu_seconds;
    long rss_kib, anonymous_kib, proportional_kib;
    unsigned long long written_bytes;
    int processes;
};
struct usage usage_now(void);

#endif
