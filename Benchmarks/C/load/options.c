#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "load.h"

struct options options = {
    .protocol = "http",
    .host = "127.0.0.1",
    .connections = 64,
    .lanes = 1,
    .seconds = 5,
    .warm_up = 1,
    .body_bytes = 512,
    .method = "POST",
    .target = "bench",
};

static const char *usage_text =
    "usage: load --protocol http|redis|nats|postgres|amqp --port N [options]\n"
    "  --connections N   --lanes N (publishers per connection, amqp)\n"
    "  --seconds S       --warm-up S     --rate R (open loop)    --count N (answers, instead of seconds)\n"
    "  --body-bytes N    --body-file F   --target NAME\n"
    "  --method M        --path P (again for more)               --paths-file F (one a line)\n"
    "  --header 'A: b'   --unique-keys   --batch N               --events PATH\n"
    "  --pid N (again for more)          --tree (with their children)\n";

enum { HOST = 1, PORT, CONNECTIONS, LANES, SECONDS, WARM_UP, RATE, COUNT, BODY_BYTES, BODY_FILE, TARGET, METHOD, PATH,
       PATHS_FILE, HEADER, UNIQUE_KEYS, BATCH, EVENTS, PID, TREE, PROTOCOL };

static const struct option table[] = {
    {"protocol", required_argument, NULL, PROTOCOL}, {"host", required_argument, NULL, HOST},
    {"port", required_argument, NULL, PORT}, {"connections", required_argument, NULL, CONNECTIONS},
    {"lanes", required_argument, NULL, LANES}, {"seconds", required_argument, NULL, SECONDS},
    {"warm-up", required_argument, NULL, WARM_UP}, {"rate", required_argument, NULL, RATE},
    {"count", required_argument, NULL, COUNT}, {"body-bytes", required_argument, NULL, BODY_BYTES},
    {"body-file", required_argument, NULL, BODY_FILE}, {"target", required_argument, NULL, TARGET},
    {"method", required_argument, NULL, METHOD}, {"path", required_argument, NULL, PATH},
    {"paths-file", required_argument, NULL, PATHS_FILE}, {"header", required_argument, NULL, HEADER},
    {"unique-keys", no_argument, NULL, UNIQUE_KEYS}, {"batch", required_argument, NULL, BATCH},
    {"events", required_argument, NULL, EVENTS}, {"pid", required_argument, NULL, PID},
    {"tree", no_argument, NULL, TREE}, {NULL, 0, NULL, 0},
};

static void add_path(const char *path) {
    if (options.paths == NULL) options.paths = calloc(MAX_PATHS, sizeof *options.paths);
    if (options.paths == NULL || options.path_count == MAX_PATHS) load_fail("too many paths");
    options.paths[options.path_count++] = strdup(path);
}

static void add_paths(const char *name) {
    FILE *file = fopen(name, "r");
    if (file == NULL) load_fail("%s cannot be read", name);
    char line[1024];
    while (fgets(line, sizeof line, file) != NULL) {
        line[strcspn(line, "\r\n")] = 0;
        if (line[0] != 0) add_path(line);
    }
    fclose(file);
}

void options_read(int count, char **arguments) {
    int option;
    while ((option = getopt_long(count, arguments, "", table, NULL)) != -1) {
        switch (option) {
        case PROTOCOL: options.protocol = optarg; break;
        case HOST: options.host = optarg; break;
        case PORT: options.port = atoi(optarg); break;
        case CONNECTIONS: options.connections = atoi(optarg); break;
        case LANES: options.lanes = atoi(optarg); break;
        case SECONDS: options.seconds = atof(optarg); break;
        case WARM_UP: options.warm_up = atof(optarg); break;
        case RATE: options.rate = atof(optarg); break;
        case COUNT: options.count = atol(optarg); break;
        case BODY_BYTES: options.body_bytes = (size_t)atol(optarg); break;
        case BODY_FILE: options.body_file = optarg; break;
        case TARGET: options.target = optarg; break;
        case METHOD: options.method = optarg; break;
        case PATH: add_path(optarg); break;
        case PATHS_FILE: add_paths(optarg); break;
        case HEADER:
            if (options.header_count == MAX_HEADERS) load_fail("too many headers");
            options.headers[options.header_count++] = optarg;
            break;
        case UNIQUE_KEYS: options.unique_keys = true; break;
        case BATCH: options.batch = atoi(optarg); break;
        case EVENTS: options.events = optarg; break;
        case PID:
            if (options.pid_count == MAX_PIDS) load_fail("too many pids");
            options.pids[options.pid_count++] = atoi(optarg);
            break;
        case TREE: options.tree = true; break;
        default: fputs(usage_text, stderr); exit(2);
        }
    }
    if (options.port <= 0 || options.connections <= 0 || options.lanes <= 0 || optind != count) {
        fputs(usage_text, stderr);
        exit(2);
    }
    if (options.path_count == 0) add_path("/");
}
