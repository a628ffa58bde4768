// Keywords that this target checks itself, because valijson's own check can be made to fail by a message.
#pragma once

#include "Problems.hpp"

#include <valijson/schema_parser.hpp>

namespace reactord {

void addConstraints(valijson::SchemaParser &parser);

}  // namespace reactord
