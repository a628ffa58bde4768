// How much stack std::regex takes.
#pragma once

#include <cstddef>
#include <string>

namespace reactord {

/// Longest string that any pattern is matched against, in bytes.
constexpr size_t maxMatchedBytes = 4096;

/// An upper bound of the automaton that std::regex makes of a pattern.
struct PatternSize {
    size_t states = 0;
    /// It repeats something without end, so that recursion grows with the string.
    bool isUnbounded = false;

    /// Stack for matching a string of `length` bytes.
    size_t stack(size_t length) const;
    /// Longest string that is matched with it: `maxMatchedBytes`, or less when that would take too much stack.
    size_t longestMatch() const;
};

PatternSize patternSize(const std::string &pattern);

/// Why `pattern` cannot be used; empty when it can.
std::string patternProblem(const std::string &pattern);

}  // namespace reactord
