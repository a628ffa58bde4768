// Turns a schema as people write it into one that valijson handles without surprises.
#pragma once

#include "Matching.hpp"
#include "Problems.hpp"

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace reactord {

/// Thrown when a schema cannot be used; places are places in the schema.
struct Refused {
    std::vector<Problem> problems;
};

/// Deepest nesting of objects and arrays in `text`, without parsing it.
size_t nesting(const char *text, size_t length);

/// What must be known of a document before it is validated.
struct Measure {
    size_t depth = 0;
    size_t longestString = 0;
    size_t longestKey = 0;
};

/// Makes `value` safe for valijson, which reads strings as C strings and integers as int64: U+0000 becomes the
/// noncharacter U+FDD0, an integer beyond int64 a double.
void prepare(nlohmann::json &value, Measure &measure, size_t depth = 1);

/// Copies the keywords of draft 7 that constrain something, and nothing else.
///
/// References are resolved here, so that valijson's own resolution (which knows no `$id` and can fetch) sees only
/// `#/reactord:refs/N`, each a place of its own beside the root. A schema that would recurse without end, or deeper
/// than the stack, is refused.
class Normaliser {
public:
    /// `isForeign`: a stranger wrote it, whose patterns must be such as RE2 has.
    Normaliser(const nlohmann::json &root, const nlohmann::json &metaSchema, bool isForeign);

    nlohmann::json run();

    /// The largest of each kind; no states when there is none.
    PatternSize unboundedPattern;
    PatternSize boundedPattern;
    /// What the keys of its `patternProperties` are matched with.
    KeyMatchers keys;
    /// All of its patterns are matched by RE2.
    bool isLinear = true;
    /// Longest key that its `patternProperties` can match.
    size_t longestKey = SIZE_MAX;
    /// Most schemas that apply to one and the same value, one inside the other.
    size_t longestChain = 0;
    /// Deepest recursion that compiling the result can need.
    size_t levels = 0;

private:
    using json = nlohmann::json;

    struct Chain {
        size_t length = 1;
        size_t paths = 1;
    };

    const json &root;
    const bool isForeign;
    std::string rootBase;
    std::map<std::string, const json *> ids;
    std::map<const json *, std::string> bases;
    std::map<const json *, size_t> numbers;
    std::vector<std::pair<const json *, std::string>> targets;
    json references = json::object();
    std::map<const json *, Chain> chains;
    std::set<const json *> open;
    std::vector<const json *> starts;

    void scan(const json &node, const std::string &base);
    const json &resolve(const json &node, const std::string &place);
    json build(const json &node, const std::string &place);
    json keyword(const json &node, const std::string &name, const json &value, const std::string &place);
    void checkPattern(const std::string &pattern, const std::string &place, bool isKey);
    Chain chain(const json &node, size_t depth);
};

}  // namespace reactord
