// libcurl's options are set through variadic functions, which Swift cannot call: one typed wrapper per kind of value.
// Nothing else belongs here.
#ifndef REACTORD_CCURL_SHIM_H
#define REACTORD_CCURL_SHIM_H

#include <curl/curl.h>
#include <sys/socket.h>

static inline CURLcode ccurl_set_long(CURL *handle, CURLoption option, long value) {
    return curl_easy_setopt(handle, option, value);
}

static inline CURLcode ccurl_set_string(CURL *handle, CURLoption option, const char *value) {
    return curl_easy_setopt(handle, option, value);
}

static inline CURLcode ccurl_set_pointer(CURL *handle, CURLoption option, void *value) {
    return curl_easy_setopt(handle, option, value);
}

static inline CURLcode ccurl_set_list(CURL *handle, CURLoption option, struct curl_slist *value) {
    return curl_easy_setopt(handle, option, value);
}

// The body is copied; it may hold NUL bytes.
static inline CURLcode ccurl_set_body(CURL *handle, const void *bytes, size_t count) {
    CURLcode code = curl_easy_setopt(handle, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)count);
    return code == CURLE_OK ? curl_easy_setopt(handle, CURLOPT_COPYPOSTFIELDS, (const char *)bytes) : code;
}

// PEM text in memory, copied. What this libcurl is too old for (7.77 for authorities) is refused, never ignored.
static inline CURLcode ccurl_set_blob(CURL *handle, CURLoption option, const void *bytes, size_t count) {
    struct curl_blob blob = {(void *)bytes, count, CURL_BLOB_COPY};
    return curl_easy_setopt(handle, option, &blob);
}

static inline CURLcode ccurl_set_authorities(CURL *handle, const void *bytes, size_t count) {
#if LIBCURL_VERSION_NUM >= 0x074d00
    return ccurl_set_blob(handle, CURLOPT_CAINFO_BLOB, bytes, count);
#else
    (void)handle, (void)bytes, (void)count;
    return CURLE_UNKNOWN_OPTION;
#endif
}

typedef size_t (*ccurl_send)(char *bytes, size_t size, size_t count, void *context);
typedef int (*ccurl_seek)(void *context, curl_off_t offset, int origin);

// The body is asked for while it is sent; `seek` is called when a request has to be sent again.
static inline CURLcode ccurl_set_source(CURL *handle, ccurl_send send, ccurl_seek seek, long long count, void *context) {
    CURLcode code = curl_easy_setopt(handle, CURLOPT_UPLOAD, 1L);
    if (code != CURLE_OK) return code;
    curl_easy_setopt(handle, CURLOPT_READFUNCTION, send);
    curl_easy_setopt(handle, CURLOPT_READDATA, context);
    curl_easy_setopt(handle, CURLOPT_SEEKFUNCTION, seek);
    curl_easy_setopt(handle, CURLOPT_SEEKDATA, context);
    curl_easy_setopt(handle, CURLOPT_UPLOAD_BUFFERSIZE, 524288L);
    return curl_easy_setopt(handle, CURLOPT_INFILESIZE_LARGE, (curl_off_t)count);
}

// What callbacks return to hold a transfer back, and to end it.
static inline size_t ccurl_hold(void) { return CURL_WRITEFUNC_PAUSE; }
static inline CURLcode ccurl_go_on(CURL *handle) { return curl_easy_pause(handle, CURLPAUSE_CONT); }
static inline size_t ccurl_stop_sending(void) { return CURL_READFUNC_ABORT; }

typedef size_t (*ccurl_receive)(char *bytes, size_t size, size_t count, void *context);

static inline CURLcode ccurl_set_receivers(CURL *handle, ccurl_receive header, ccurl_receive body, void *context) {
    curl_easy_setopt(handle, CURLOPT_HEADERFUNCTION, header);
    curl_easy_setopt(handle, CURLOPT_HEADERDATA, context);
    curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, body);
    return curl_easy_setopt(handle, CURLOPT_WRITEDATA, context);
}

typedef curl_socket_t (*ccurl_open)(void *context, curlsocktype purpose, struct curl_sockaddr *address);
typedef int (*ccurl_confirm)(void *context, char *remote, char *local, int remote_port, int local_port);

// `open` sees the address of every new connection. `confirm` sees the peer before a request leaves, on a connection
// that an earlier transfer opened too; where libcurl cannot tell (before 7.80) no connection is used twice.
static inline CURLcode ccurl_set_gate(CURL *handle, ccurl_open open, ccurl_confirm confirm, void *context) {
    curl_easy_setopt(handle, CURLOPT_OPENSOCKETDATA, context);
    CURLcode code = curl_easy_setopt(handle, CURLOPT_OPENSOCKETFUNCTION, open);
    if (code != CURLE_OK) return code;
#if LIBCURL_VERSION_NUM >= 0x075000
    curl_easy_setopt(handle, CURLOPT_PREREQDATA, context);
    return curl_easy_setopt(handle, CURLOPT_PREREQFUNCTION, confirm);
#else
    curl_easy_setopt(handle, CURLOPT_FORBID_REUSE, 1L);
    return curl_easy_setopt(handle, CURLOPT_FRESH_CONNECT, 1L);
#endif
}

static inline CURLcode ccurl_allow_http_only(CURL *handle) {
#if LIBCURL_VERSION_NUM >= 0x075500
    return curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "http,https");
#else
    return curl_easy_setopt(handle, CURLOPT_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
}

static inline long ccurl_get_long(CURL *handle, CURLINFO info) {
    long value = 0;
    curl_easy_getinfo(handle, info, &value);
    return value;
}

static inline void *ccurl_get_private(CURL *handle) {
    void *value = NULL;
    curl_easy_getinfo(handle, CURLINFO_PRIVATE, &value);
    return value;
}

static inline CURLMcode ccurl_multi_set_long(CURLM *multi, CURLMoption option, long value) {
    return curl_multi_setopt(multi, option, value);
}

static inline CURLcode ccurl_message_result(const CURLMsg *message) { return message->data.result; }

// The address lies behind a field that is declared shorter than an IPv6 address is.
static inline const void *ccurl_address_bytes(const struct curl_sockaddr *address) { return &address->addr; }

static inline curl_socket_t ccurl_open_socket(const struct curl_sockaddr *address) {
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

static inline CURLcode ccurl_global_init(void) { return curl_global_init(CURL_GLOBAL_DEFAULT); }

#endif
