#ifndef PAGESUMS_ANCHOR_H
#define PAGESUMS_ANCHOR_H

#include <stdint.h>

// Beside the log lies a note of how far it was synced ("-sync"), written after each sync and never synced itself. What
// it says is true whenever it is there: of a frame up to that one no power cut can be the reason that it does not fit.
// Where the note was lost, the end of the log may be taken for one that a power cut has torn.

enum { ANCHOR = 32 };

/// Where the note of this log lies; NULL without memory, else to be freed.
char *anchor_path(const char *log);

void anchor_write(uint8_t *anchor, const uint8_t *salts, int64_t frame);

/// Up to which frame the log with these salts was synced; 0 where the note says nothing about it.
int64_t anchor_frame(const uint8_t *anchor, const uint8_t *salts);

#endif
