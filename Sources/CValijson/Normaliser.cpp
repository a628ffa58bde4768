#include "Normaliser.hpp"

#include <algorithm>

namespace reactord {

namespace {

using nlohmann::json;

constexpr size_t maxTargets = 500;
constexpr size_t maxLevels = 4000;
constexpr size_t maxChain = 32;
constexpr size_t maxPaths = 10000;

[[noreturn]] void refuse(const std::string &place, const std::string &text)
{
    throw Refused{{{place, text}}};
}

bool isOneOf(const std::string &name, std::initializer_list<const char *> names)
{
    return std::any_of(names.begin(), names.end(), [&name](const char *other) { return name == other; });
}

std::string withoutEmptyFragment(std::string uri)
{
    if (!uri.empty() && uri.back() == '#') {
        uri.pop_back();
    }
    return uri;
}

/// The part of RFC 3986, section 5.2 that schema ids use: no dot segments, no queries.
std::string joined(const std::string &base, const std::string &reference)
{
    const std::string document = base.substr(0, base.find('#'));
    if (reference.empty() || reference[0] == '#') {
        return withoutEmptyFragment(document + reference);
    }
    const size_t colon = reference.find(':');
    if (colon != std::string::npos && reference.find('/') > colon) {
        return withoutEmptyFragment(reference);
    }
    const size_t authority = document.find("://");
    const size_t path = authority == std::string::npos ? 0 : document.find('/', authority + 3);
    if (reference[0] == '/') {
        return withoutEmptyFragment(document.substr(0, path) + reference);
    }
    const size_t slash = document.rfind('/');
    if (slash == std::string::npos || path == std::string::npos) {
        return withoutEmptyFragment(path == std::string::npos ? document + "/" + reference : reference);
    }
    return withoutEmptyFragment(document.substr(0, slash + 1) + reference);
}

std::string percentDecoded(const std::string &text)
{
    std::string result;
    for (size_t index = 0; index < text.size(); ++index) {
        if (text[index] == '%' && index + 2 < text.size() && isxdigit(static_cast<unsigned char>(text[index + 1]))
            && isxdigit(static_cast<unsigned char>(text[index + 2]))) {
            result += static_cast<char>(std::stoi(text.substr(index + 1, 2), nullptr, 16));
            index += 2;
        } else {
            result += text[index];
        }
    }
    return result;
}

size_t depthOf(const json &value)
{
    size_t deepest = 0;
    if (value.is_structured()) {
        for (const json &item : value) {
            deepest = std::max(deepest, depthOf(item));
        }
    }
    return deepest + 1;
}

}  // namespace

size_t nesting(const char *text, size_t length)
{
    size_t depth = 0;
    size_t deepest = 0;
    bool isString = false;
    for (size_t index = 0; index < length; ++index) {
        const char character = text[index];
        if (isString) {
            if (character == '\\') {
                ++index;
            } else if (character == '"') {
                isString = false;
            }
        } else if (character == '"') {
            isString = true;
        } else if (character == '[' || character == '{') {
            deepest = std::max(deepest, ++depth);
        } else if ((character == ']' || character == '}') && depth > 0) {
            --depth;
        }
    }
    return deepest;
}

static void withoutZeros(std::string &text)
{
    size_t index = 0;
    while ((index = text.find('\0', index)) != std::string::npos) {
        text.replace(index, 1, "\xef\xb7\x90");
    }
}

void prepare(json &value, Measure &measure, size_t depth)
{
    measure.depth = std::max(measure.depth, depth);
    if (value.is_string()) {
        auto &text = value.get_ref<std::string &>();
        measure.longestString = std::max(measure.longestString, text.size());
        withoutZeros(text);
    } else if (value.is_number_unsigned() && value.get<uint64_t>() > static_cast<uint64_t>(INT64_MAX)) {
        value = static_cast<double>(value.get<uint64_t>());
    } else if (value.is_object()) {
        std::vector<std::string> renamed;
        for (auto member = value.begin(); member != value.end(); ++member) {
            measure.longestKey = std::max(measure.longestKey, member.key().size());
            prepare(member.value(), measure, depth + 1);
            if (member.key().find('\0') != std::string::npos) {
                renamed.push_back(member.key());
            }
        }
        for (const std::string &name : renamed) {
            std::string other = name;
            withoutZeros(other);
            json moved = std::move(value[name]);
            value.erase(name);
            value[other] = std::move(moved);
        }
    } else if (value.is_array()) {
        for (json &item : value) {
            prepare(item, measure, depth + 1);
        }
    }
}

Normaliser::Normaliser(const json &root, const json &metaSchema, bool isForeign) : root(root), isForeign(isForeign)
{
    if (root.is_object() && root.contains("$id") && root["$id"].is_string()) {
        rootBase = joined("", root["$id"].get<std::string>());
    }
    scan(root, "");
    scan(metaSchema, "");
}

void Normaliser::scan(const json &node, const std::string &base)
{
    std::string own = base;
    if (node.is_object()) {
        const bool isReference = node.contains("$ref") && node["$ref"].is_string();
        if (!isReference && node.contains("$id") && node["$id"].is_string()) {
            const std::string id = joined(base, node["$id"].get<std::string>());
            ids.emplace(id, &node);
            // An id that is only a fragment names a place; it starts no new base.
            own = id.find('#') == std::string::npos ? id : base;
        }
        if (isReference) {
            bases.emplace(&node, own);
        }
        for (const auto &[name, value] : node.items()) {
            if (!isOneOf(name, {"enum", "const", "default", "examples"}) || value.is_object()) {
                scan(value, own);
            }
        }
    } else if (node.is_array()) {
        for (const json &item : node) {
            scan(item, own);
        }
    }
}

const json &Normaliser::resolve(const json &node, const std::string &place)
{
    const auto known = bases.find(&node);
    const std::string text = node["$ref"].get<std::string>();
    const std::string uri = joined(known == bases.end() ? rootBase : known->second, text);
    const auto whole = ids.find(uri);
    if (whole != ids.end()) {
        return *whole->second;
    }
    const size_t hash = uri.find('#');
    const std::string document = uri.substr(0, hash);
    const auto owner = ids.find(document);
    const json *found = owner != ids.end() ? owner->second : document == rootBase ? &root : nullptr;
    const std::string pointer = hash == std::string::npos ? "" : percentDecoded(uri.substr(hash + 1));
    if (found != nullptr && (pointer.empty() || pointer[0] == '/')) {
        try {
            return found->at(json::json_pointer(pointer));
        } catch (const json::exception &) {
            found = nullptr;
        }
    }
    refuse(place, "\"" + text + "\" leads nowhere in this schema; other documents are never fetched");
}

void Normaliser::checkPattern(const std::string &pattern, const std::string &place, bool isKey)
{
    const std::string problem = patternProblem(pattern);
    if (!problem.empty()) {
        refuse(place, problem);
    }
    const Matcher matcher(pattern);
    if (isForeign && !matcher.isLinear()) {
        refuse(place, slowPatternProblem);
    }
    isLinear = isLinear && matcher.isLinear();
    if (isKey) {
        keys.emplace(pattern, matcher);
    }
    const PatternSize &size = matcher.size;
    PatternSize &largest = size.isUnbounded ? unboundedPattern : boundedPattern;
    largest.isUnbounded = size.isUnbounded;
    largest.states = std::max(largest.states, size.states);
}

json Normaliser::build(const json &node, const std::string &place)
{
    if (node.is_boolean()) {
        return node;
    }
    if (!node.is_object()) {
        refuse(place, std::string("a schema is an object or a boolean, not ") + typeName(node));
    }
    if (node.contains("$ref")) {
        if (!node["$ref"].is_string()) {
            refuse(place + "/$ref", "must be string");
        }
        // Draft 7: nothing beside a reference counts.
        const json &target = resolve(node, place + "/$ref");
        const auto [entry, isNew] = numbers.emplace(&target, targets.size());
        if (isNew) {
            const std::string text = node["$ref"].get<std::string>();
            targets.push_back({&target, text[0] == '#' ? percentDecoded(text.substr(1)) : place + "/$ref"});
        }
        return json::object({{"$ref", "#/reactord:refs/" + std::to_string(entry->second)}});
    }
    json result = json::object();
    for (const auto &[name, value] : node.items()) {
        const std::string below = place + token(name);
        if (name == "pattern" || name == "multipleOf" || name == "type") {
            if (name == "pattern" && value.is_string()) {
                checkPattern(value.get<std::string>(), below, false);
            }
            result["reactord:" + name] = value;
        } else if (name == "uniqueItems") {
            if (value == true) {
                result["reactord:uniqueItems"] = true;
            }
        } else if ((name == "exclusiveMinimum" || name == "exclusiveMaximum") && value.is_boolean()) {
            // Draft 4: a flag beside the limit. The limit itself then adds nothing.
            const char *limit = name == "exclusiveMinimum" ? "minimum" : "maximum";
            if (value == true && node.contains(limit)) {
                result[name] = node[limit];
            }
        } else {
            json copied = keyword(node, name, value, below);
            if (!copied.is_discarded()) {
                result[name] = std::move(copied);
            }
        }
    }
    return result;
}

json Normaliser::keyword(const json &node, const std::string &name, const json &value, const std::string &place)
{
    if (isOneOf(name, {
            "enum", "const", "required", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "minLength",
            "maxLength", "minItems", "maxItems", "minProperties", "maxProperties",
        })) {
        return value;
    }
    const bool isSchema = isOneOf(
        name, {
            "not", "if", "then", "else", "contains", "propertyNames", "additionalItems", "additionalProperties",
        });
    const bool isList = isOneOf(name, {"allOf", "anyOf", "oneOf"}) || (name == "items" && value.is_array());
    if (isSchema || (name == "items" && !isList)) {
        return build(value, place);
    }
    if (isList && value.is_array()) {
        json list = json::array();
        for (size_t index = 0; index < value.size(); ++index) {
            list.push_back(build(value[index], place + "/" + std::to_string(index)));
        }
        return list;
    }
    if (isOneOf(name, {"properties", "patternProperties", "dependencies"}) && value.is_object()) {
        json map = json::object();
        for (const auto &[key, member] : value.items()) {
            const bool isNames = name == "dependencies" && member.is_array();
            map[key] = isNames ? member : build(member, place + token(key));
            if (name == "patternProperties") {
                checkPattern(key, place + token(key), true);
                longestKey = std::min(longestKey, patternSize(key).longestMatch());
            }
        }
        return map;
    }
    return json(json::value_t::discarded);
}

Normaliser::Chain Normaliser::chain(const json &node, size_t depth)
{
    if (!node.is_object()) {
        return {};
    }
    const auto known = chains.find(&node);
    if (known != chains.end()) {
        return known->second;
    }
    if (!open.insert(&node).second) {
        refuse("", "a reference leads back to itself without going into the value");
    }
    if (depth > maxChain) {
        refuse("", "more than 32 references and combinations in a row apply to one value");
    }
    std::vector<const json *> inner;
    if (node.contains("$ref")) {
        const std::string target = node["$ref"].get<std::string>();
        inner.push_back(&references[target.substr(target.rfind('/') + 1)]);
    }
    for (const char *name : {"not", "if", "then", "else"}) {
        if (node.contains(name)) {
            inner.push_back(&node[name]);
        }
    }
    for (const char *name : {"allOf", "anyOf", "oneOf", "dependencies"}) {
        if (node.contains(name)) {
            for (const json &item : node[name]) {
                inner.push_back(&item);
            }
        }
    }
    Chain result;
    for (const json *item : inner) {
        const Chain below = chain(*item, depth + 1);
        result.length = std::max(result.length, below.length + 1);
        result.paths += below.paths;
    }
    if (result.length > maxChain) {
        refuse("", "more than 32 references and combinations in a row apply to one value");
    }
    if (result.paths > maxPaths) {
        refuse("", "references and combinations multiply to more than 10000 checks of one value");
    }
    open.erase(&node);
    chains[&node] = result;
    longestChain = std::max(longestChain, result.length);
    // Schemas that apply to parts of the value start a chain of their own.
    for (const auto &[name, value] : node.items()) {
        if (isOneOf(name, {"properties", "patternProperties"}) || (name == "items" && value.is_array())) {
            for (const json &item : value) {
                starts.push_back(&item);
            }
        } else if (isOneOf(name, {"items", "contains", "propertyNames", "additionalItems", "additionalProperties"})) {
            starts.push_back(&value);
        }
    }
    return result;
}

json Normaliser::run()
{
    json result = build(root, "");
    levels = depthOf(result);
    for (size_t index = 0; index < targets.size(); ++index) {
        if (index >= maxTargets) {
            refuse("", "more than 500 places are referred to");
        }
        // A copy: building may find further targets.
        const auto [node, place] = targets[index];
        json target = build(*node, place);
        levels += depthOf(target);
        references[std::to_string(index)] = std::move(target);
    }
    if (levels > maxLevels) {
        refuse("", "its references nest too deeply");
    }
    starts.push_back(&result);
    while (!starts.empty()) {
        const json *start = starts.back();
        starts.pop_back();
        chain(*start, 0);
    }
    if (!targets.empty()) {
        result["reactord:refs"] = references;
    }
    return result;
}

}  // namespace reactord
