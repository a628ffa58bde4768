#include "Sum.h"

// Eight lanes of multiply and rotate, because one would wait for its own multiplications. Each step is a bijection of
// the lane and of the word it takes in, and so is the fold at the end: damage within one word, and most of all one
// flipped bit, always changes the sum; anything else is missed once in 2^64.

enum { LANES = 8, WORDS = (PAGE_SUMS_PAGE - PAGE_SUMS_BYTES) / 8 };

static const uint64_t odd = 0x9E3779B97F4A7C15u;

static inline uint64_t step(uint64_t lane, uint64_t word) {
    uint64_t product = (lane ^ word) * odd;
    return product << 29 | product >> 35;
}

uint64_t page_sums_of(const uint8_t *page, int64_t number) {
    uint64_t lanes[LANES];
    // The number is part of it: a page that was written to another one's place is damage too.
    for (int i = 0; i < LANES; i++) lanes[i] = step((uint64_t)number, (uint64_t)i + 1);
    int word = 0;
    for (; word + LANES <= WORDS; word += LANES) {
        for (int i = 0; i < LANES; i++) lanes[i] = step(lanes[i], little64(page + 8 * (word + i)));
    }
    for (int i = 0; word < WORDS; word++, i++) lanes[i] = step(lanes[i], little64(page + 8 * word));
    uint64_t sum = 0;
    for (int i = 0; i < LANES; i++) sum = step(sum, lanes[i]);
    return sum ^ sum >> 32;
}

enum { RESERVED_AT = 20, OWNER_AT = 68 };

static int is_repaired(const uint8_t *page, int reserved, int owner) {
    uint8_t copy[PAGE_SUMS_PAGE];
    memcpy(copy, page, PAGE_SUMS_PAGE);
    if (reserved) copy[RESERVED_AT] = PAGE_SUMS_BYTES;
    if (owner) {
        for (int i = 0; i < 4; i++) copy[OWNER_AT + i] = (uint8_t)((uint32_t)PAGE_SUMS_OWNER >> (24 - 8 * i));
    }
    return page_sum_holds(copy, 1);
}

int page_sums_begin(const uint8_t *start, int64_t length) {
    if (length < 100) return 0;
    // The two places never change, so this is right also while another process writes the page.
    if (start[RESERVED_AT] == PAGE_SUMS_BYTES && big32(start + OWNER_AT) == PAGE_SUMS_OWNER) return 1;
    if (length < PAGE_SUMS_PAGE) return 0;
    // A bit that flipped in just these places must not turn the checking off.
    if (page_sum_holds(start, 1) || is_repaired(start, 1, 0) || is_repaired(start, 0, 1)) return 1;
    return length >= 2 * PAGE_SUMS_PAGE && page_sum_holds(start + PAGE_SUMS_PAGE, 2);
}
