// How patterns are matched, and how much stack std::regex takes.
#pragma once

#include <cstddef>
#include <memory>
#include <regex>
#include <string>

#include <re2/re2.h>

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

/// A pattern of ECMAScript, matched by RE2 in time that grows with the string and no faster, where RE2 has it; what
/// looks ahead or back to groups is left to std::regex, which may take as long as there are ways to match.
class Matcher {
public:
    explicit Matcher(const std::string &pattern);

    bool isLinear() const { return quick != nullptr; }
    bool search(const std::string &text) const;

    PatternSize size;

private:
    std::shared_ptr<const re2::RE2> quick;
    std::shared_ptr<const std::regex> exact;
};

/// What is said to a stranger whose pattern RE2 does not have.
extern const char *const slowPatternProblem;

}  // namespace reactord
