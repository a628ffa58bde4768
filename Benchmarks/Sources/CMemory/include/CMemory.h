#ifndef CMEMORY_H
#define CMEMORY_H

#include <stddef.h>

// Bytes that the program holds from malloc, large blocks included.
size_t memory_in_use(void);

#endif
