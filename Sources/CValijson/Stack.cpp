#include "Stack.hpp"

#include <cstdint>
#include <exception>
#include <stdexcept>

#include <pthread.h>

namespace reactord {

namespace {

struct Call {
    const std::function<void()> &body;
    std::exception_ptr failure;
};

void *run(void *argument)
{
    auto *call = static_cast<Call *>(argument);
    try {
        call->body();
    } catch (...) {
        call->failure = std::current_exception();
    }
    return nullptr;
}

}  // namespace

/// Lowest address of this thread's stack, its guard not counted; 0 when it is not known.
static uintptr_t stackEnd()
{
    thread_local uintptr_t end = 0;
    pthread_attr_t attributes;
    if (end == 0 && pthread_getattr_np(pthread_self(), &attributes) == 0) {
        void *address = nullptr;
        size_t size = 0;
        if (pthread_attr_getstack(&attributes, &address, &size) == 0) {
            end = reinterpret_cast<uintptr_t>(address);
        }
        pthread_attr_destroy(&attributes);
    }
    return end;
}

void withStack(size_t bytes, const std::function<void()> &body)
{
    const char here = 0;
    const auto position = reinterpret_cast<uintptr_t>(&here);
    const uintptr_t end = stackEnd();
    // What the stack measure leaves out: guard pages, frames between here and the recursion.
    bytes += 128 * 1024;
    if (end != 0 && position > end && position - end > bytes) {
        body();
        return;
    }
    Call call{body, nullptr};
    pthread_attr_t attributes;
    pthread_t thread;
    if (pthread_attr_init(&attributes) != 0) {
        throw std::runtime_error("no memory for a thread");
    }
    const bool hasStarted = pthread_attr_setstacksize(&attributes, bytes) == 0
        && pthread_create(&thread, &attributes, run, &call) == 0;
    pthread_attr_destroy(&attributes);
    if (!hasStarted) {
        throw std::runtime_error("no thread could be started");
    }
    pthread_join(thread, nullptr);
    if (call.failure) {
        std::rethrow_exception(call.failure);
    }
}

}  // namespace reactord
