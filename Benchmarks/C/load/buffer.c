#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "load.h"

void buffer_room(struct buffer *buffer, size_t bytes) {
    if (buffer->start == buffer->end) buffer->start = buffer->end = 0;
    if (buffer->capacity - buffer->end >= bytes) return;
    size_t length = buffer_length(buffer);
    if (buffer->start > 0) {
        memmove(buffer->bytes, buffer_head(buffer), length);
        buffer->start = 0;
        buffer->end = length;
        if (buffer->capacity - length >= bytes) return;
    }
    size_t capacity = buffer->capacity == 0 ? 4096 : buffer->capacity;
    while (capacity - length < bytes) capacity *= 2;
    buffer->bytes = realloc(buffer->bytes, capacity);
    if (buffer->bytes == NULL) load_fail("out of memory");
    buffer->capacity = capacity;
}

void buffer_add(struct buffer *buffer, const void *bytes, size_t length) {
    buffer_room(buffer, length);
    memcpy(buffer->bytes + buffer->end, bytes, length);
    buffer->end += length;
}

void buffer_text(struct buffer *buffer, const char *text) { buffer_add(buffer, text, strlen(text)); }

void buffer_format(struct buffer *buffer, const char *format, ...) {
    char text[4096];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (length < 0 || (size_t)length >= sizeof text) load_fail("a line of a request is too long");
    buffer_add(buffer, text, (size_t)length);
}

void buffer_u8(struct buffer *buffer, uint8_t value) { buffer_add(buffer, &value, 1); }

void buffer_u16(struct buffer *buffer, uint16_t value) {
    uint8_t bytes[2] = {(uint8_t)(value >> 8), (uint8_t)value};
    buffer_add(buffer, bytes, 2);
}

void buffer_u32(struct buffer *buffer, uint32_t value) {
    uint8_t bytes[4] = {(uint8_t)(value >> 24), (uint8_t)(value >> 16), (uint8_t)(value >> 8), (uint8_t)value};
    buffer_add(buffer, bytes, 4);
}

void buffer_u64(struct buffer *buffer, uint64_t value) {
    buffer_u32(buffer, (uint32_t)(value >> 32));
    buffer_u32(buffer, (uint32_t)value);
}

void buffer_take(struct buffer *buffer, size_t length) {
    buffer->start += length;
    if (buffer->start == buffer->end) buffer->start = buffer->end = 0;
}
