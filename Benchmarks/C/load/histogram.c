#include "histogram.h"

#include <stdio.h>

static int cell_of(uint64_t value) {
    if (value < HISTOGRAM_STEPS) return (int)value;
    int power = 63 - __builtin_clzll(value) - 7;
    if (power >= HISTOGRAM_POWERS) return HISTOGRAM_CELLS - 1;
    return HISTOGRAM_STEPS * (power + 1) + (int)((value >> power) - HISTOGRAM_STEPS);
}

// The upper end of a cell: a quantile is never told too small.
static uint64_t value_of(int cell) {
    if (cell < HISTOGRAM_STEPS) return (uint64_t)cell;
    int power = cell / HISTOGRAM_STEPS - 1;
    uint64_t step = (uint64_t)(cell % HISTOGRAM_STEPS);
    return ((HISTOGRAM_STEPS + step + 1) << power) - 1;
}

void histogram_add(struct histogram *histogram, uint64_t nanoseconds) {
    histogram->cells[cell_of(nanoseconds)]++;
    histogram->count++;
    histogram->sum += nanoseconds;
    if (nanoseconds > histogram->greatest) histogram->greatest = nanoseconds;
}

uint64_t histogram_at(const struct histogram *histogram, double fraction) {
    if (histogram->count == 0) return 0;
    uint64_t rank = (uint64_t)(fraction * (double)histogram->count + 0.9999999);
    if (rank < 1) rank = 1;
    uint64_t seen = 0;
    for (int cell = 0; cell < HISTOGRAM_CELLS; cell++) {
        seen += histogram->cells[cell];
        if (seen < rank) continue;
        uint64_t value = value_of(cell);
        return value < histogram->greatest ? value : histogram->greatest;
    }
    return histogram->greatest;
}

void histogram_print(const struct histogram *histogram) {
    double mean = histogram->count == 0 ? 0 : (double)histogram->sum / (double)histogram->count / 1e6;
    printf("{\"count\":%llu,\"mean\":%.4f", (unsigned long long)histogram->count, mean);
    static const struct { const char *name; double fraction; } points[] = {
        {"p50", 0.50}, {"p90", 0.90}, {"p99", 0.99}, {"p999", 0.999},
    };
    for (int index = 0; index < 4; index++)
        printf(",\"%s\":%.4f", points[index].name, (double)histogram_at(histogram, points[index].fraction) / 1e6);
    printf(",\"max\":%.4f}", (double)histogram->greatest / 1e6);
}
