#include "Log.h"

#include <stdlib.h>
#include <string.h>

#include "Anchor.h"
#include "Sum.h"

typedef struct sums {
    uint32_t first, second;
} sums;

static inline uint32_t word_at(const uint8_t *bytes, int big_endian) {
    uint32_t word = big32(bytes);
    return big_endian ? word : __builtin_bswap32(word);
}

static sums add(sums from, const uint8_t *bytes, int count, int big_endian) {
    if (big_endian) {
        for (int i = 0; i < count; i += 8) {
            from.first += big32(bytes + i) + from.second;
            from.second += big32(bytes + i + 4) + from.first;
        }
    } else {
        for (int i = 0; i < count; i += 8) {
            uint64_t pair = little64(bytes + i);
            from.first += (uint32_t)pair + from.second;
            from.second += (uint32_t)(pair >> 32) + from.first;
        }
    }
    return from;
}

static sums stored(const uint8_t *bytes) { return (sums){big32(bytes), big32(bytes + 4)}; }

static int equal(sums one, sums other) { return one.first == other.first && one.second == other.second; }

static sums frame_sum(const uint8_t *header, const uint8_t *page, int size, sums before, int big_endian) {
    return add(add(before, header, 8, big_endian), page, size, big_endian);
}

int log_frame_holds(const uint8_t *header, const uint8_t *page, int size, const uint8_t *before) {
    sums wanted = stored(header + FRAME_SUM), from = stored(before);
    int big_endian = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__;
    // The log says in its header which order it uses; reading that again would cost more than a wrong guess.
    return equal(frame_sum(header, page, size, from, big_endian), wanted)
        || equal(frame_sum(header, page, size, from, !big_endian), wanted);
}

/// A log while it is looked at.
typedef struct log {
    const log_check *check;
    uint8_t header[LOG_HEADER];
    int size, big_endian;
    int64_t frames;
    /// Up to here it was synced for certain.
    int64_t synced;
    /// One frame.
    uint8_t *frame;
} log;

static int is_header(const uint8_t *header, int *size, int *big_endian) {
    uint32_t magic = big32(header), page = big32(header + 8);
    if ((magic & ~1u) != 0x377f0682u || big32(header + 4) != 3007000u) return 0;
    if (page < 512 || page > 65536 || (page & (page - 1)) != 0) return 0;
    *size = (int)page;
    *big_endian = (int)(magic & 1);
    return equal(add((sums){0, 0}, header, LOG_SUM, *big_endian), stored(header + LOG_SUM));
}

/// Whether turning one bit makes it a header.
static int is_header_but_one_bit(const uint8_t *header) {
    uint8_t copy[LOG_HEADER];
    int size, big_endian;
    for (int bit = 0; bit < 8 * LOG_HEADER; bit++) {
        memcpy(copy, header, LOG_HEADER);
        copy[bit / 8] ^= (uint8_t)(1 << bit % 8);
        if (is_header(copy, &size, &big_endian)) return 1;
    }
    return 0;
}

/// Whether the first frame names the salts of the header. The header is synced before a frame is written.
static int has_frame(const log_check *check, const uint8_t *header) {
    static const uint8_t none[8];
    uint8_t frame[FRAME_HEADER];
    return check->size >= LOG_HEADER + FRAME_HEADER
        && check->read(check->source, frame, FRAME_HEADER, LOG_HEADER) == 0
        && memcmp(frame + FRAME_SALTS, header + LOG_SALTS, 8) == 0 && memcmp(header + LOG_SALTS, none, 8) != 0;
}

static int bits(const uint8_t *one, const uint8_t *other, int count) {
    int different = 0;
    for (int i = 0; i < count; i++) different += __builtin_popcount(one[i] ^ other[i]);
    return different;
}

static int read_frame(log *log, int64_t frame, int count) {
    return log->check->read(log->check->source, log->frame, count, log_frame_offset(frame, log->size));
}

/// Whether one flipped bit of the summed bytes explains the difference of the sums.
///
/// Both sums are linear: a change of a word by 2^n changes them by 2^n times weights that depend on the distance to
/// the end alone. Any difference in a few high bits has such an explanation, so none is believed there; in the others a
/// torn frame has one by chance less than once in 2^16.
static int is_one_bit(const log *log, sums wanted, sums found) {
    uint32_t first = found.first - wanted.first, second = found.second - wanted.second;
    if (((first | second) & 0x1ffffu) == 0) return 0;
    // Weights of the two words of a pair, from the last pair to the first.
    sums even = {1, 1}, odd = {0, 1};
    for (int at = log->size - 8; at >= -8; at -= 8) {
        const uint8_t *pair = at >= 0 ? log->frame + FRAME_HEADER + at : log->frame;
        for (int half = 0; half < 2; half++) {
            uint32_t word = word_at(pair + 4 * half, log->big_endian);
            sums weight = half == 0 ? even : odd;
            for (int bit = 0; bit < 32; bit++) {
                uint32_t change = word >> bit & 1 ? 1u << bit : 0u - (1u << bit);
                if (change * weight.first == first && change * weight.second == second) return 1;
            }
        }
        even = (sums){even.first + even.second, even.first + 2 * even.second};
        odd = (sums){odd.first + odd.second, odd.first + 2 * odd.second};
    }
    return 0;
}

/// Whether a whole later frame follows upon the ends of so many commits, of which the first is that of `frame`, as may
/// be without a sync. That one was synced before the later frame was written, so a power cut cannot have taken it.
static int is_followed(log *log, int64_t frame) {
    sums before = {0, 0};
    int ended = 0;
    for (int64_t number = frame; number <= log->frames; number++) {
        if (read_frame(log, number, FRAME_HEADER) != 0) return 0;
        int is_ours = memcmp(log->frame + FRAME_SALTS, log->header + LOG_SALTS, 8) == 0;
        sums wanted = stored(log->frame + FRAME_SUM);
        int is_whole = 0;
        if (is_ours && number > frame) {
            if (read_frame(log, number, FRAME_HEADER + log->size) != 0) return 0;
            is_whole = equal(
                frame_sum(log->frame, log->frame + FRAME_HEADER, log->size, before, log->big_endian), wanted);
        }
        if (ended >= PAGE_SUMS_UNSYNCED && is_whole) return 1;
        if (is_ours && (is_whole || number == frame) && big32(log->frame + 4) != 0) ended += 1;
        before = wanted;
    }
    return 0;
}

/// Frame `number` is in memory and does not fit.
static int is_damage(log *log, int64_t number, sums found) {
    if (number <= log->synced) return 1;
    const uint8_t *header = log->frame;
    sums wanted = stored(header + FRAME_SUM);
    int salt_bits = bits(header + FRAME_SALTS, log->header + LOG_SALTS, 8);
    if (salt_bits == 0) {
        if (is_one_bit(log, wanted, found)) return 1;
    } else if (salt_bits == 1 && equal(wanted, found)) {
        return 1;
    }
    return !log->check->unsynced && is_followed(log, number);
}

static int find_in_frames(log *log, page_damage *damage) {
    const log_check *check = log->check;
    sums before = stored(log->header + LOG_SUM);
    int64_t reported = 0;
    for (int64_t number = 1; number <= log->frames; number++) {
        if (read_frame(log, number, FRAME_HEADER + log->size) != 0) return 0;
        uint32_t page = big32(log->frame);
        int is_ours = memcmp(log->frame + FRAME_SALTS, log->header + LOG_SALTS, 8) == 0;
        sums found = frame_sum(log->frame, log->frame + FRAME_HEADER, log->size, before, log->big_endian);
        if (!is_ours || page == 0 || !equal(found, stored(log->frame + FRAME_SUM))) {
            *damage = (page_damage){.page = is_ours ? page : 0, .frame = number};
            return is_damage(log, number, found);
        }
        before = found;
        if (check->replaced == NULL || big32(log->frame + 4) == 0) continue;
        // The end of a commit: now its frames count.
        for (reported++; reported <= number; reported++) {
            if (read_frame(log, reported, FRAME_HEADER) != 0) return 0;
            page_damage place = {.page = big32(log->frame), .frame = reported};
            check->replaced(check->context, &place);
        }
        reported = number;
    }
    // Cut off.
    *damage = (page_damage){.page = 0, .frame = log->frames + 1};
    return log->frames < log->synced;
}

int log_find_damage(const log_check *check, page_damage *damage) {
    log log = {.check = check};
    if (check->size < LOG_HEADER) return 0;
    if (check->read(check->source, log.header, LOG_HEADER, 0) != 0) return 0;
    *damage = (page_damage){.page = 0, .frame = 0};
    if (!is_header(log.header, &log.size, &log.big_endian)) {
        return is_header_but_one_bit(log.header) || has_frame(check, log.header);
    }
    log.frame = malloc((size_t)FRAME_HEADER + (size_t)log.size);
    if (log.frame == NULL) return -1;
    log.frames = (check->size - LOG_HEADER) / (FRAME_HEADER + log.size);
    log.synced = anchor_frame(check->anchor, log.header + LOG_SALTS);
    int result = find_in_frames(&log, damage);
    free(log.frame);
    return result;
}
