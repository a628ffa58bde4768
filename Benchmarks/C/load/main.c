// A load generator on one thread: N publishers, each waits for its own answer before its next message. Closed loop for
// throughput; open loop (--rate) for latency, counted from the moment a request was due, so that a stalled server
// cannot hide the requests that it kept from being sent.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "load.h"

void options_read(int count, char **arguments);

char *load_body;
size_t load_body_length;

enum { READ_AT_ONCE = 64 * 1024, EVENTS_AT_ONCE = 512 };
static const double DRAIN_SECONDS = 20;

static const struct protocol *protocol;
static struct connection *connections;
static struct lane **idle;
static int idle_count, lane_count, ready_count, gone_count, poller;
static struct histogram latency;
static uint64_t measure_from, measure_until, next_due, interval;
static long begun, answers, errors, answers_counted, outstanding;
static bool stopped;

uint64_t load_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

void load_fail(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    fputs("load: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    exit(1);
}

static void watch(struct connection *connection, bool writing) {
    if (connection->wants_write == writing) return;
    connection->wants_write = writing;
    struct epoll_event event = {.events = EPOLLIN | (writing ? EPOLLOUT : 0), .data.ptr = connection};
    epoll_ctl(poller, EPOLL_CTL_MOD, connection->descriptor, &event);
}

static void flush(struct connection *connection) {
    while (buffer_length(&connection->out) > 0) {
        ssize_t sent = send(
            connection->descriptor, buffer_head(&connection->out), buffer_length(&connection->out), MSG_NOSIGNAL);
        if (sent < 0) {
            if (errno == EINTR) continue;
            if (errno == EAGAIN) break;
            load_fail("connection %d: send: %s", connection->number, strerror(errno));
        }
        buffer_take(&connection->out, (size_t)sent);
    }
    watch(connection, buffer_length(&connection->out) > 0);
}

static void start(struct lane *lane, uint64_t began) {
    lane->busy = true;
    lane->began = began;
    outstanding++;
    begun++;
    protocol->write(lane);
}

// Open loop: hands requests that are due to publishers that are idle.
static void start_due(uint64_t now) {
    while (!stopped && idle_count > 0 && next_due <= now) {
        struct lane *lane = idle[--idle_count];
        if (lane->connection->phase == FAILED) continue;
        start(lane, next_due);
        next_due += interval;
        flush(lane->connection);
    }
}

void load_ready(struct connection *connection) {
    if (connection->phase == READY) return;
    connection->phase = READY;
    ready_count++;
}

void load_answered(struct lane *lane, bool good, const char *execution, size_t length) {
    if (!lane->busy) load_fail("an answer that nobody waits for on connection %d", lane->connection->number);
    uint64_t now = load_now();
    bool counted = measure_from != 0 && lane->began >= measure_from && lane->began < measure_until;
    if (measure_from != 0 && now >= measure_from && now < measure_until) answers_counted++;
    if (counted) histogram_add(&latency, now - lane->began);
    if (execution != NULL) events_sent(execution, length, lane->began, counted);
    answers++;
    if (!good) errors++;
    lane->busy = false;
    outstanding--;
    if (options.count > 0 && answers >= options.count) stopped = true;
    if (interval != 0) idle[idle_count++] = lane;
    else if (!stopped && (options.count == 0 || begun < options.count)) start(lane, now);
}

// A server may close a connection that it has not heard of for long; nobody waits for anything then.
static bool was_idle(struct connection *connection) {
    for (int lane = 0; lane < options.lanes; lane++)
        if (connection->lanes[lane].busy) return false;
    if (connection->phase != READY) return false;
    close(connection->descriptor);
    connection->phase = FAILED;
    if (!stopped && ++gone_count == options.connections) load_fail("the server closed all connections");
    return true;
}

static void readable(struct connection *connection) {
    buffer_room(&connection->in, READ_AT_ONCE);
    ssize_t got = recv(
        connection->descriptor, connection->in.bytes + connection->in.end,
        connection->in.capacity - connection->in.end, 0);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (got == 0 && was_idle(connection)) return;
    if (got <= 0)
        load_fail("connection %d: %s", connection->number, got == 0 ? "the server closed it" : strerror(errno));
    connection->in.end += (size_t)got;
    if (!protocol->read(connection)) load_fail("connection %d: not understood", connection->number);
    if (buffer_length(&connection->out) > 0) flush(connection);
}

static void connect_one(struct connection *connection, int number) {
    connection->number = number;
    connection->lanes = calloc((size_t)options.lanes, sizeof *connection->lanes);
    for (int lane = 0; lane < options.lanes; lane++)
        connection->lanes[lane] = (struct lane){.connection = connection, .number = lane};
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)options.port)};
    if (inet_pton(AF_INET, options.host, &address.sin_addr) != 1) load_fail("--host takes an IPv4 address");
    int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (descriptor < 0 || connect(descriptor, (struct sockaddr *)&address, sizeof address) != 0)
        load_fail("connect to %s:%d: %s", options.host, options.port, strerror(errno));
    int one = 1;
    setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK);
    connection->descriptor = descriptor;
    connection->phase = HANDSHAKE;
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = connection};
    epoll_ctl(poller, EPOLL_CTL_ADD, descriptor, &event);
    protocol->open(connection);
    flush(connection);
}

// Waits for what happens, at most until `until`.
static void turn(uint64_t until) {
    static struct epoll_event events[EVENTS_AT_ONCE];
    uint64_t now = load_now();
    uint64_t wait = until > now ? until - now : 0;
    struct timespec timeout = {.tv_sec = (time_t)(wait / 1000000000u), .tv_nsec = (long)(wait % 1000000000u)};
    int count = epoll_pwait2(poller, events, EVENTS_AT_ONCE, &timeout, NULL);
    if (count < 0 && errno != EINTR) load_fail("epoll: %s", strerror(errno));
    for (int index = 0; index < count; index++) {
        struct connection *connection = events[index].data.ptr;
        if (connection == NULL) {
            events_readable();
            continue;
        }
        if (events[index].events & EPOLLOUT) flush(connection);
        if (events[index].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) readable(connection);
    }
}

static void make_body(void) {
    if (options.body_file != NULL) {
        FILE *file = fopen(options.body_file, "r");
        if (file == NULL) load_fail("%s cannot be read", options.body_file);
        load_body = malloc(1 << 20);
        load_body_length = fread(load_body, 1, 1 << 20, file);
        fclose(file);
        return;
    }
    static const char head[] =
        "{\"sample\":\"S-000042\",\"kind\":\"measurement\",\"values\":[1.5,2.25,3.125],\"note\":\"";
    static const char tail[] = "\"}";
    load_body_length = options.body_bytes;
    size_t least = sizeof head + sizeof tail;
    if (load_body_length < least) load_fail("--body-bytes is at least %zu", least);
    load_body = malloc(load_body_length);
    memcpy(load_body, head, sizeof head - 1);
    for (size_t index = sizeof head - 1; index < load_body_length; index++)
        load_body[index] = "abcdefghijklmnopqrstuvwxyz      "[(index * 7) % 32];
    memcpy(load_body + load_body_length - (sizeof tail - 1), tail, sizeof tail - 1);
}

static double own_cpu(void) {
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)usage.ru_utime.tv_sec + (double)usage.ru_stime.tv_sec
        + ((double)usage.ru_utime.tv_usec + (double)usage.ru_stime.tv_usec) / 1e6;
}

static void print_result(double seconds, double cpu, struct usage before, struct usage after) {
    double messages = (double)answers_counted * (options.batch > 0 ? options.batch : 1);
    printf("{\"protocol\":\"%s\",\"connections\":%d,\"publishers\":%d,\"rate\":%.1f,\"seconds\":%.4f,", protocol->name,
        options.connections, lane_count, options.rate, seconds);
    printf("\"answers\":%ld,\"all_answers\":%ld,\"errors\":%ld,\"unanswered\":%ld,", answers_counted, answers, errors,
        outstanding);
    printf("\"messages\":%.0f,\"per_second\":%.1f,\"latency_ms\":", messages, messages / seconds);
    histogram_print(&latency);
    printf(",\"client_cpu\":%.3f", cpu);
    printf(",\"server_cpu\":%.3f", after.cpu_seconds - before.cpu_seconds);
    printf(",\"server_processes\":%d,\"server_rss_kib\":%ld,\"server_anonymous_kib\":%ld", after.processes,
        after.rss_kib, after.anonymous_kib);
    printf(",\"server_pss_kib\":%ld,\"server_written_bytes\":%llu", after.proportional_kib,
        after.written_bytes - before.written_bytes);
    if (options.events != NULL) {
        printf(",\"events_missing\":%ld,\"started_ms\":", events_missing());
        histogram_print(&event_times.started);
        printf(",\"finished_ms\":");
        histogram_print(&event_times.finished);
    }
    printf("}\n");
}

static void connect_all(void) {
    connections = calloc((size_t)options.connections, sizeof *connections);
    lane_count = options.connections * options.lanes;
    idle = calloc((size_t)lane_count, sizeof(struct lane *));
    for (int number = 0; number < options.connections; number++) connect_one(&connections[number], number);
    uint64_t limit = load_now() + 60000000000u;
    while (ready_count < options.connections) {
        if (load_now() > limit) load_fail("only %d connections are ready after a minute", ready_count);
        turn(limit);
    }
    if (options.events != NULL) {
        events_open();
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
        epoll_ctl(poller, EPOLL_CTL_ADD, events_descriptor(), &event);
    }
}

// After the last request: the answers that are still due, and the events of what was sent.
static void drain(void) {
    uint64_t limit = load_now() + (uint64_t)(DRAIN_SECONDS * 1e9);
    while (outstanding > 0 && load_now() < limit) turn(limit);
    while (options.events != NULL && events_missing() > 0 && load_now() < limit) turn(load_now() + 50000000u);
}

int main(int count, char **arguments) {
    options_read(count, arguments);
    const struct protocol *known[] = {
        &http_protocol, &redis_protocol, &nats_protocol, &postgres_protocol, &amqp_protocol};
    for (size_t index = 0; index < sizeof known / sizeof *known; index++)
        if (strcmp(known[index]->name, options.protocol) == 0) protocol = known[index];
    if (protocol == NULL) load_fail("there is no protocol %s", options.protocol);
    make_body();
    protocol->prepare();
    poller = epoll_create1(EPOLL_CLOEXEC);
    connect_all();

    uint64_t begin = load_now();
    if (options.rate > 0) interval = (uint64_t)(1e9 / options.rate);
    next_due = begin;
    for (int number = 0; number < options.connections; number++) {
        for (int lane = 0; lane < options.lanes; lane++) {
            struct lane *publisher = &connections[number].lanes[lane];
            if (interval != 0) idle[idle_count++] = publisher;
            else if (options.count == 0 || begun < options.count) start(publisher, begin);
        }
        flush(&connections[number]);
    }
    uint64_t warm = begin + (uint64_t)((options.count > 0 ? 0 : options.warm_up) * 1e9);
    while (load_now() < warm) {
        if (interval != 0) start_due(load_now());
        turn(interval != 0 && next_due < warm && idle_count > 0 ? next_due : warm);
    }
    struct usage before = usage_now();
    double cpu = own_cpu();
    measure_from = options.count > 0 ? begin : load_now();
    measure_until = options.count > 0 ? UINT64_MAX : measure_from + (uint64_t)(options.seconds * 1e9);
    while (load_now() < measure_until && !stopped) {
        if (interval != 0) start_due(load_now());
        turn(interval != 0 && next_due < measure_until && idle_count > 0 ? next_due : measure_until);
    }
    double seconds = (double)(load_now() - measure_from) / 1e9;
    if (options.count == 0 && seconds > options.seconds) seconds = options.seconds;
    stopped = true;
    cpu = own_cpu() - cpu;
    struct usage after = usage_now();
    drain();
    print_result(seconds, cpu, before, after);
    if (outstanding > 0) fprintf(stderr, "load: %ld requests were not answered\n", outstanding);
    // Executions that have not ended by now are in the result, for the reader to judge.
    return errors > 0 || outstanding > 0 ? 3 : 0;
}
