#include "Anchor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SALTS_AT = 8, FRAME_AT = 16, SUM_AT = 24 };

static const uint8_t magic[SALTS_AT] = {'R', 'C', 'T', 'D', 'S', 'Y', 'N', 'C'};

char *anchor_path(const char *log) {
    size_t length = strlen(log);
    char *path = malloc(length + 2);
    if (path == NULL || length < 4) {
        free(path);
        return NULL;
    }
    snprintf(path, length + 2, "%.*s-sync", (int)(length - 4), log); // in place of "-wal"
    return path;
}

static uint64_t sum_of(const uint8_t *anchor) {
    uint64_t sum = 0xcbf29ce484222325u;
    for (int i = 0; i < SUM_AT; i++) sum = (sum ^ anchor[i]) * 0x100000001b3u;
    return sum;
}

static void put(uint8_t *bytes, uint64_t number) {
    for (int i = 0; i < 8; i++) bytes[i] = (uint8_t)(number >> (56 - 8 * i));
}

static uint64_t get(const uint8_t *bytes) {
    uint64_t number = 0;
    for (int i = 0; i < 8; i++) number = number << 8 | bytes[i];
    return number;
}

void anchor_write(uint8_t *anchor, const uint8_t *salts, int64_t frame) {
    memcpy(anchor, magic, sizeof magic);
    memcpy(anchor + SALTS_AT, salts, 8);
    put(anchor + FRAME_AT, (uint64_t)frame);
    put(anchor + SUM_AT, sum_of(anchor));
}

int64_t anchor_frame(const uint8_t *anchor, const uint8_t *salts) {
    if (memcmp(anchor, magic, sizeof magic) != 0 || get(anchor + SUM_AT) != sum_of(anchor)) return 0;
    return memcmp(anchor + SALTS_AT, salts, 8) == 0 ? (int64_t)get(anchor + FRAME_AT) : 0;
}
