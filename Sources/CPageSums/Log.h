#ifndef PAGESUMS_LOG_H
#define PAGESUMS_LOG_H

#include "CPageSums.h"

// SQLite's write-ahead log: a header of 32 bytes, then frames of a header of 24 bytes and a page each
// (https://www.sqlite.org/fileformat2.html#the_write_ahead_log). Sums run on from frame to frame.

enum { LOG_HEADER = 32, FRAME_HEADER = 24, FRAME_SALTS = 8, FRAME_SUM = 16, LOG_SALTS = 16, LOG_SUM = 24 };

/// Reads exactly `count` bytes; 0 when they were there.
typedef int (*log_read)(void *source, uint8_t *bytes, int count, int64_t offset);

static inline int64_t log_frame_offset(int64_t frame, int page) {
    return LOG_HEADER + (frame - 1) * (int64_t)(FRAME_HEADER + page);
}

/// Whether a frame is what was written: its sum goes on from that of the frame before.
///
/// @param before the eight bytes of the sum before it.
int log_frame_holds(const uint8_t *header, const uint8_t *page, int size, const uint8_t *before);

typedef struct log_check {
    log_read read;
    void *source;
    int64_t size;
    /// Frames of several commits may be missing after a power cut.
    int unsynced;
    /// Told of each frame of a commit that is whole; may be NULL.
    void *context;
    page_sums_report replaced;
} log_check;

/// Looks at a whole log as SQLite's recovery would. Recovery takes the first frame that does not fit for the end; here
/// it is asked whether a power cut can explain it. 1 and the place when not, 0 when all is well, -1 without memory.
int log_find_damage(const log_check *check, page_damage *damage);

#endif
