#include "Problems.hpp"

#include <utility>

namespace reactord {

namespace {

constexpr size_t maxProblems = 32;

struct Finding {
    Problem problem;
    /// It only says that something further down is wrong.
    bool isSummary;
};

bool startsWith(const std::string &text, const std::string &prefix)
{
    return text.compare(0, prefix.size(), prefix) == 0;
}

/// valijson prints numbers with six decimals; `10.000000` becomes `10`.
std::string withoutTrailingZeros(std::string text)
{
    if (text.find('.') == std::string::npos) {
        return text;
    }
    text.erase(text.find_last_not_of('0') + 1);
    if (text.back() == '.') {
        text.pop_back();
    }
    return text;
}

/// Context elements are `<root>` and then one `[name]` or `[index]` per level.
std::string pointer(const std::vector<std::string> &context)
{
    std::string place;
    for (size_t index = 1; index < context.size(); ++index) {
        place += token(context[index].substr(1, context[index].size() - 2));
    }
    return place;
}

/// What stands between the first `open` and the last `close`.
std::string between(const std::string &text, char open, char close)
{
    const size_t start = text.find(open);
    const size_t end = text.rfind(close);
    return start == std::string::npos || end <= start ? "" : text.substr(start + 1, end - start - 1);
}

Finding summary(const std::string &place, const std::string &text)
{
    if (text.find("anyOf") != std::string::npos) {
        return {{place, "fits none of the alternatives (anyOf)"}, true};
    }
    if (text.find("oneOf") != std::string::npos) {
        return {{place, "fits none of the alternatives (oneOf)"}, true};
    }
    if (text.find("property name '") != std::string::npos) {
        return {{place + token(between(text, '\'', '\'')), "is not allowed here"}, true};
    }
    const size_t item = text.find("item #");
    if (item != std::string::npos) {
        const size_t digits = item + 6;
        const size_t end = text.find_first_not_of("0123456789", digits);
        const std::string index = token(text.substr(digits, end - digits));
        // One of valijson's two wordings has the item in its context already.
        const bool isThere = place.size() >= index.size()
            && place.compare(place.size() - index.size(), index.size(), index) == 0
            && text.find("corresponding") != std::string::npos;
        return {{isThere ? place : place + index, "is not allowed here"}, true};
    }
    if (text.find("additional properties") != std::string::npos) {
        return {{place, "has a property that is not allowed"}, true};
    }
    return {{place, "does not satisfy the schema"}, true};
}

Finding finding(const valijson::ValidationResults::Error &error)
{
    static const std::pair<const char *, const char *> phrases[] = {
        {"Missing required property", "missing required property"},
        {"Missing dependency", "another property requires property"},
        {"Failed to match against any enum values", "is not one of the allowed values"},
        {"Failed to match expected value", "is not the required value (const)"},
        {"Failed to any values", "no item fits (contains)"},
        {"Failed to validate against exactly one", "fits more than one of the alternatives (oneOf)"},
        {"Target should not validate", "fits a schema that it must not fit (not)"},
        {"Array contains more items", "has too many items"},
        {"Cannot validate item", "has too many items"},
    };
    const std::string place = pointer(error.context);
    const std::string &text = error.description;
    if (startsWith(text, "Object contains a property that could not be validated")) {
        const size_t quote = text.find("constraints: '");
        const std::string name = quote == std::string::npos ? "" : between(text.substr(quote), '\'', '\'');
        return {{place, "property '" + name + "' is not allowed"}, false};
    }
    for (const auto &[start, meaning] : phrases) {
        if (startsWith(text, start)) {
            const std::string name = between(text, '\'', '\'');
            const bool names = startsWith(text, "Missing");
            return {{place, names ? std::string(meaning) + " '" + name + "'" : meaning}, false};
        }
    }
    if (startsWith(text, "Failed to validate")) {
        return summary(place, text);
    }
    if (startsWith(text, "Expected number ")) {
        return {{place, "must be " + withoutTrailingZeros(text.substr(16))}, false};
    }
    for (const char *subject : {"Array should ", "String should ", "Object should "}) {
        if (startsWith(text, subject)) {
            std::string rest = "should " + text.substr(std::string(subject).size());
            if (rest.back() == '.') {
                rest.pop_back();
            }
            return {{place, rest}, false};
        }
    }
    return {{place, text.back() == '.' ? text.substr(0, text.size() - 1) : text}, false};
}

/// `specific` lies at `place` or below it.
bool explains(const Finding &specific, const std::string &place)
{
    const std::string &other = specific.problem.place;
    return !specific.isSummary
        && (other == place || (startsWith(other, place) && other[place.size()] == '/'));
}

}  // namespace

std::string token(const std::string &name)
{
    std::string text = "/";
    for (const char character : name) {
        if (character == '~') {
            text += "~0";
        } else if (character == '/') {
            text += "~1";
        } else {
            text += character;
        }
    }
    return text;
}

const char *typeName(const nlohmann::json &value)
{
    return value.is_number_integer() ? "integer" : value.type_name();
}

std::vector<Problem> readable(valijson::ValidationResults &results)
{
    std::vector<Finding> all;
    valijson::ValidationResults::Error error;
    while (results.popError(error)) {
        if (!error.description.empty()) {
            all.push_back(finding(error));
        }
    }
    std::vector<Problem> chosen;
    for (const Finding &candidate : all) {
        // The summaries of alternatives stay: without them their details would contradict each other.
        bool isKept = !candidate.isSummary || candidate.problem.text.find("alternatives") != std::string::npos;
        if (!isKept) {
            isKept = true;
            for (const Finding &other : all) {
                isKept = isKept && !explains(other, candidate.problem.place);
            }
        }
        for (const Problem &known : chosen) {
            isKept = isKept && (known.place != candidate.problem.place || known.text != candidate.problem.text);
        }
        if (isKept && chosen.size() < maxProblems) {
            chosen.push_back(candidate.problem);
        }
    }
    if (chosen.empty()) {
        chosen.push_back({"", "does not satisfy the schema"});
    }
    return chosen;
}

}  // namespace reactord
