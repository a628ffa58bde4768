#include "Patterns.hpp"

#include <algorithm>
#include <cctype>
#include <regex>
#include <vector>

namespace reactord {

namespace {

constexpr size_t maxPatternBytes = 1024;
constexpr size_t maxStates = 2000;
constexpr size_t ceiling = 1000000;
// Measured without optimisation, where frames are largest, with a margin: a state is entered at most twice without
// consuming a character.
constexpr size_t stackPerState = 2 * 512;
constexpr size_t maxStack = 256 << 20;

/// Counts states while it reads; the text is a pattern that std::regex accepts, else the count does not matter.
class Counter {
public:
    PatternSize size;

    explicit Counter(const std::string &text) : text(text)
    {
        while (index < text.size()) {
            step(text[index++]);
        }
        while (groups.size() > 1) {
            close();
        }
        size.states = groups[0].total;
    }

private:
    struct Group {
        size_t total = 1;
        size_t last = 0;
    };

    const std::string &text;
    size_t index = 0;
    std::vector<Group> groups{1};

    void step(char character)
    {
        switch (character) {
        case '\\':
            ++index;
            add(1);
            break;
        case '[':
            skipClass();
            add(1);
            break;
        case '(':
            groups.emplace_back();
            // Of `(?:`, `(?=` and `(?!`: it repeats nothing.
            if (index < text.size() && text[index] == '?') {
                index += 2;
                add(3);
            }
            break;
        case ')':
            close();
            break;
        case '*':
        case '+':
            size.isUnbounded = true;
            repeat(1);
            break;
        case '?':
            repeat(1);
            break;
        case '{':
            braces();
            break;
        case '|':
            add(2);
            break;
        default:
            add(1);
        }
    }

    void add(size_t states)
    {
        groups.back().last = states;
        groups.back().total = std::min(ceiling, groups.back().total + states);
    }

    void close()
    {
        if (groups.size() > 1) {
            const size_t inner = groups.back().total;
            groups.pop_back();
            add(inner + 2);
        }
    }

    void repeat(size_t times)
    {
        Group &group = groups.back();
        const size_t more = std::min(ceiling, group.last * (times - 1) + 2 * times);
        group.last = std::min(ceiling, group.last + more);
        group.total = std::min(ceiling, group.total + more);
    }

    void braces()
    {
        size_t most = 1;
        size_t number = 0;
        char previous = '{';
        while (index < text.size() && text[index] != '}') {
            const char character = text[index++];
            number = character == ',' ? 0 : std::min<size_t>(ceiling, number * 10 + (character - '0'));
            most = std::max(most, number);
            previous = character;
        }
        ++index;
        size.isUnbounded = size.isUnbounded || previous == ',';
        repeat(std::min<size_t>(most + (previous == ',' ? 1 : 0), ceiling));
    }

    void skipClass()
    {
        while (index < text.size() && text[index] != ']') {
            if (text[index] == '\\') {
                ++index;
            } else if (text[index] == '[' && index + 1 < text.size() && text[index + 1] == ':') {
                const size_t end = text.find(":]", index + 2);
                index = end == std::string::npos ? index : end + 1;
            }
            ++index;
        }
        ++index;
    }
};

}  // namespace

size_t PatternSize::stack(size_t length) const
{
    return stackPerState * states * (isUnbounded ? length + 1 : 1);
}

size_t PatternSize::longestMatch() const
{
    return std::min(maxMatchedBytes, isUnbounded ? maxStack / (stackPerState * states) : maxMatchedBytes);
}

PatternSize patternSize(const std::string &pattern)
{
    return Counter(pattern).size;
}

/// Escapes that mean the same to RE2 and to ECMAScript.
constexpr const char *sharedEscapes = "dDwWsSbBfnrtvx";

bool isShared(const std::string &pattern)
{
    for (size_t index = 0; index + 1 < pattern.size(); ++index) {
        if (pattern[index] != '\\') {
            continue;
        }
        const unsigned char escaped = pattern[++index];
        if (std::isalnum(escaped) && std::string(sharedEscapes).find(escaped) == std::string::npos) {
            return false;
        }
    }
    return true;
}

Matcher::Matcher(const std::string &pattern) : size(patternSize(pattern))
{
    if (isShared(pattern)) {
        re2::RE2::Options options;
        // Bytes, as for std::regex.
        options.set_encoding(re2::RE2::Options::EncodingLatin1);
        options.set_log_errors(false);
        auto made = std::make_shared<const re2::RE2>(pattern, options);
        if (made->ok()) {
            quick = made;
            return;
        }
    }
    exact = std::make_shared<const std::regex>(pattern);
}

bool Matcher::search(const std::string &text) const
{
    return quick != nullptr ? re2::RE2::PartialMatch(text, *quick) : std::regex_search(text, *exact);
}

const char *const slowPatternProblem =
    "may take very long to match: it looks ahead ((?=, (?!), back to a group (\\1), or has an escape such as \\u or "
    "\\c; say what must not match in a schema of its own ({\"not\": {\"pattern\": ...}}), what must match as well in "
    "another item of \"allOf\", and write the character itself for its escape";

std::string patternProblem(const std::string &pattern)
{
    if (pattern.size() > maxPatternBytes) {
        return "is longer than " + std::to_string(maxPatternBytes) + " bytes";
    }
    if (patternSize(pattern).states > maxStates) {
        return "repeats and nests too much";
    }
    try {
        const std::regex expression(pattern);
        return "";
    } catch (const std::regex_error &) {
        return "is no regular expression (ECMAScript syntax, without look-behind and \\p)";
    }
}

}  // namespace reactord
