// A log-linear histogram of nanoseconds: 128 steps per power of two, so a value is known to 0.8 %.
#ifndef HISTOGRAM_H
#define HISTOGRAM_H

#include <stdint.h>

enum { HISTOGRAM_STEPS = 128, HISTOGRAM_POWERS = 36, HISTOGRAM_CELLS = HISTOGRAM_STEPS * (HISTOGRAM_POWERS + 1) };

struct histogram {
    uint64_t cells[HISTOGRAM_CELLS];
    uint64_t count, sum, greatest;
};

void histogram_add(struct histogram *histogram, uint64_t nanoseconds);
// The value that `fraction` of all do not exceed.
uint64_t histogram_at(const struct histogram *histogram, double fraction);
// {"count":…,"mean":…,"p50":…,"p90":…,"p99":…,"p999":…,"max":…}, in milliseconds.
void histogram_print(const struct histogram *histogram);

#endif
