// Keywords that this target checks itself, because valijson's own check can be made to fail by a message.
#pragma once

#include "Problems.hpp"

#include <valijson/schema_parser.hpp>

namespace reactord {

/// Thrown where a string is too long to be matched: an answer, whatever `not` or `anyOf` stand above.
struct TooLongToMatch {
    std::vector<std::string> context;
    size_t limit;
};

void addConstraints(valijson::SchemaParser &parser);

}  // namespace reactord
