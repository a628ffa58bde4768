// What valijson finds, bounded. Must be included before any other valijson header.
#pragma once

#include <cstddef>
#include <deque>
#include <string>
#include <vector>

// valijson keeps every error it meets, so one wrong array of a million items would take gigabytes. Its class of that
// name is put aside under another one and the class below, which has a bound, takes its place.
#define ValidationResults UnboundedValidationResults
#include <valijson/validation_results.hpp>
#undef ValidationResults

namespace valijson {

/// Keeps the first errors; the rest could not be shown anyway.
class ValidationResults {
public:
    struct Error {
        std::vector<std::string> context;
        std::string description;
    };

    void pushError(const std::vector<std::string> &context, const std::string &description)
    {
        if (errors.size() < 256) {
            errors.push_back({context, description});
        }
    }

    bool popError(Error &error)
    {
        if (errors.empty()) {
            return false;
        }
        error = std::move(errors.front());
        errors.pop_front();
        return true;
    }

private:
    std::deque<Error> errors;
};

}  // namespace valijson
