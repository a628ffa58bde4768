// Places and problems as people read them.
#pragma once

#include "Results.hpp"

#include <nlohmann/json.hpp>

namespace reactord {

/// One thing that is wrong, at a JSON pointer.
struct Problem {
    std::string place;
    std::string text;
};

/// `name` as one token of a JSON pointer, with its slash (RFC 6901).
std::string token(const std::string &name);

/// The name that JSON gives to the type of `value`.
const char *typeName(const nlohmann::json &value);

/// The most specific of `results`, rewritten and without repetitions, at most 32; never empty.
std::vector<Problem> readable(valijson::ValidationResults &results);

}  // namespace reactord
