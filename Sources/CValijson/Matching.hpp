// Patterns while a document is checked: what they are matched with, and how much of it one document may cost.
#pragma once

#include "Patterns.hpp"
#include "Problems.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include <valijson/adapters/nlohmann_json_adapter.hpp>
#include <valijson/validation_visitor.hpp>

namespace reactord {

/// Thrown where a string cannot be matched: an answer, whatever `not` or `anyOf` stand above.
struct NotMatched {
    std::vector<std::string> context;
    std::string problem;
};

/// The patterns of a schema's `patternProperties`.
using KeyMatchers = std::map<std::string, Matcher>;

/// One check of a document, on the thread that it lives on.
class Matching {
public:
    /// `effort`: how many steps matching may take, one for each byte and each state of a pattern.
    Matching(const KeyMatchers &keys, uint64_t effort);
    ~Matching();
    Matching(const Matching &) = delete;
    Matching &operator=(const Matching &) = delete;

    /// Throws when less is left than matching `bytes` with a pattern of this size can take.
    static void pay(size_t bytes, const PatternSize &size, const std::vector<std::string> &context);
    static const Matcher &ofKeys(const std::string &pattern);

private:
    const KeyMatchers &keys;
    uint64_t left;
    Matching *const outer;

    static thread_local Matching *current;
};

}  // namespace reactord

namespace valijson {

/// valijson's own compiles the pattern for every object, matches keys with std::regex, and says of keys that further
/// patterns would match that they are not allowed.
template <>
template <>
bool ValidationVisitor<adapters::NlohmannJsonAdapter>::ValidatePatternPropertySubschemas::operator()(
    const constraints::PropertiesConstraint::String &pattern, const Subschema *subschema) const;

}  // namespace valijson
