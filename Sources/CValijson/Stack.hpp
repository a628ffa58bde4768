// Room for recursion.
#pragma once

#include <cstddef>
#include <functional>

namespace reactord {

/// Runs `body` where at least `bytes` of stack are free: here, or on a thread of its own that is waited for. Throws
/// what `body` threw.
///
/// valijson and std::regex recurse as deep as schema, message and string make them; the stacks of the callers' threads
/// are not ours to choose.
void withStack(size_t bytes, const std::function<void()> &body);

}  // namespace reactord
