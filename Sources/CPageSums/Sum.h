#ifndef PAGESUMS_SUM_H
#define PAGESUMS_SUM_H

#include <stdint.h>
#include <string.h>

#include "CPageSums.h"

static inline uint64_t little64(const uint8_t *bytes) {
    uint64_t word;
    memcpy(&word, bytes, sizeof word);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    word = __builtin_bswap64(word);
#endif
    return word;
}

static inline uint32_t big32(const uint8_t *bytes) {
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

/// Writes the sum of a page into its last bytes.
static inline void page_sum_put(uint8_t *page, int64_t number) {
    uint64_t sum = page_sums_of(page, number);
    for (int i = 0; i < PAGE_SUMS_BYTES; i++) {
        page[PAGE_SUMS_PAGE - PAGE_SUMS_BYTES + i] = (uint8_t)(sum >> (8 * i));
    }
}

static inline int page_sum_holds(const uint8_t *page, int64_t number) {
    return little64(page + PAGE_SUMS_PAGE - PAGE_SUMS_BYTES) == page_sums_of(page, number);
}

/// Whether a file that begins with these bytes carries sums; right also when one of its first two pages is damaged.
int page_sums_begin(const uint8_t *start, int64_t length);

#endif
