// The C interface. No exception leaves it.
#include "CValijson.h"

#include "Constraints.hpp"
#include "Matching.hpp"
#include "MetaSchema.hpp"
#include "Normaliser.hpp"
#include "Patterns.hpp"
#include "Stack.hpp"

#include <algorithm>
#include <cstdint>
#include <exception>
#include <memory>

#include <valijson/adapters/nlohmann_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/validator.hpp>

using nlohmann::json;
using reactord::Problem;
using reactord::Refused;
using valijson::adapters::NlohmannJsonAdapter;

struct reactord_schema {
    valijson::Schema schema;
    reactord::PatternSize unboundedPattern;
    reactord::PatternSize boundedPattern;
    reactord::KeyMatchers keys;
    bool isForeign = false;
    bool isLinear = true;
    size_t longestKey = 0;
    size_t longestChain = 0;
};

namespace {

constexpr size_t maxSchemaBytes = 1 << 20;
constexpr size_t maxSchemaDepth = 64;
constexpr size_t maxDocumentDepth = 128;
// Measured without optimisation, where frames are largest, and at least doubled.
constexpr size_t compileStack = 16 << 20;
constexpr size_t compileStackPerLevel = 32 * 1024;
constexpr size_t stackPerCheck = 16 * 1024;
/// Steps that matching the patterns of a stranger's schema may take for one message, and for each byte of it: a tenth
/// of a second at worst for a small one.
constexpr uint64_t foreignEffort = 10000000;
constexpr uint64_t foreignEffortPerByte = 32;

using Handle = std::unique_ptr<reactord_schema>;

const json &metaSchema()
{
    static const json document = json::parse(reactord::metaSchemaText);
    return document;
}

Handle build(const json &document, bool isForeign)
{
    reactord::Normaliser normaliser(document, metaSchema(), isForeign);
    const json normalised = normaliser.run();
    Handle handle(new reactord_schema);
    handle->unboundedPattern = normaliser.unboundedPattern;
    handle->boundedPattern = normaliser.boundedPattern;
    handle->keys = normaliser.keys;
    handle->isForeign = isForeign;
    handle->isLinear = normaliser.isLinear;
    handle->longestKey = normaliser.longestKey;
    handle->longestChain = normaliser.longestChain;
    reactord::withStack(compileStack + normaliser.levels * compileStackPerLevel, [&] {
        valijson::SchemaParser parser(valijson::SchemaParser::kDraft7);
        reactord::addConstraints(parser);
        parser.populateSchema(NlohmannJsonAdapter(normalised), handle->schema);
    });
    return handle;
}

std::vector<Problem> problems(const reactord_schema &schema, const json &document, size_t length)
{
    valijson::ValidationResults results;
    const reactord::Matching matching(
        schema.keys, schema.isForeign ? foreignEffort + foreignEffortPerByte * length : UINT64_MAX);
    try {
        valijson::Validator validator;
        if (validator.validate(schema.schema, NlohmannJsonAdapter(document), &results)) {
            return {};
        }
    } catch (const reactord::NotMatched &found) {
        results = valijson::ValidationResults();
        results.pushError(found.context, found.problem);
    }
    return reactord::readable(results);
}

/// As much stack as checking a document of this measure can need.
size_t stackNeeded(const reactord_schema &schema, const reactord::Measure &measure)
{
    const size_t longest = std::min(std::max(measure.longestString, measure.longestKey), reactord::maxMatchedBytes);
    const size_t length = std::min(longest, schema.unboundedPattern.longestMatch());
    const size_t match = std::max(schema.boundedPattern.stack(length), schema.unboundedPattern.stack(length));
    return (measure.depth + 1) * (schema.longestChain + 1) * stackPerCheck + match;
}

std::vector<Problem> validated(const reactord_schema &schema, const char *text, size_t length)
{
    if (reactord::nesting(text, length) > maxDocumentDepth) {
        return {{"", "is nested deeper than " + std::to_string(maxDocumentDepth) + " levels"}};
    }
    json document = json::parse(text, text + length, nullptr, false);
    if (document.is_discarded()) {
        return {{"", "is not JSON"}};
    }
    reactord::Measure measure;
    reactord::prepare(document, measure);
    if (measure.longestKey > schema.longestKey) {
        return {{
            "", "has a key longer than " + std::to_string(schema.longestKey) + " bytes, too long to be matched",
        }};
    }
    std::vector<Problem> found;
    reactord::withStack(stackNeeded(schema, measure), [&] { found = problems(schema, document, length); });
    return found;
}

/// A flag of draft 4 that stands where draft 7 has a number; normalising translates it.
bool isDraft4Flag(const json &document, const std::string &place)
{
    const size_t slash = place.rfind('/');
    const std::string name = slash == std::string::npos ? "" : place.substr(slash);
    return (name == "/exclusiveMinimum" || name == "/exclusiveMaximum")
        && document.at(json::json_pointer(place)).is_boolean();
}

void checkDraft(const json &document)
{
    if (!document.is_object() || !document.contains("$schema") || !document["$schema"].is_string()) {
        return;
    }
    const std::string draft = document["$schema"].get<std::string>();
    if (draft.find("json-schema.org/draft/20") != std::string::npos
        || draft.find("json-schema.org/draft-03") != std::string::npos) {
        throw Refused{{{"/$schema", "must be draft 7 (http://json-schema.org/draft-07/schema#), not " + draft}}};
    }
}

Handle compiled(const char *text, size_t length, bool isForeign)
{
    if (length > maxSchemaBytes) {
        throw Refused{{{"", "is larger than 1 MiB"}}};
    }
    if (reactord::nesting(text, length) > maxSchemaDepth) {
        throw Refused{{{"", "is nested deeper than " + std::to_string(maxSchemaDepth) + " levels"}}};
    }
    json document;
    try {
        document = json::parse(text, text + length);
    } catch (const json::exception &failure) {
        const std::string why = failure.what();
        throw Refused{{{"", "is not JSON: " + why.substr(why.find("] ") + 2)}}};
    }
    reactord::Measure measure;
    reactord::prepare(document, measure);
    checkDraft(document);
    static const Handle meta = build(metaSchema(), false);
    std::vector<Problem> wrong;
    reactord::withStack(stackNeeded(*meta, measure), [&] { wrong = problems(*meta, document, length); });
    wrong.erase(
        std::remove_if(
            wrong.begin(), wrong.end(),
            [&](const Problem &problem) { return isDraft4Flag(document, problem.place); }),
        wrong.end());
    if (!wrong.empty()) {
        throw Refused{wrong};
    }
    return build(document, isForeign);
}

size_t tell(const std::vector<Problem> &problems, reactord_schema_report report, void *context) noexcept
{
    for (const Problem &problem : problems) {
        report(context, problem.place.c_str(), problem.text.c_str());
    }
    return problems.size();
}

}  // namespace

extern "C" reactord_schema *reactord_schema_compile(
    const char *text, size_t length, int is_foreign, reactord_schema_report report, void *context)
{
    try {
        Handle handle;
        reactord::withStack(compileStack, [&] { handle = compiled(text, length, is_foreign != 0); });
        return handle.release();
    } catch (const Refused &refused) {
        tell(refused.problems, report, context);
    } catch (const std::exception &failure) {
        report(context, "", failure.what());
    } catch (...) {
        report(context, "", "cannot be compiled");
    }
    return nullptr;
}

extern "C" size_t reactord_schema_validate(
    const reactord_schema *schema, const char *json, size_t length, reactord_schema_report report, void *context)
{
    try {
        return tell(validated(*schema, json, length), report, context);
    } catch (const std::exception &failure) {
        const std::string text = failure.what();
        report(context, "", ("could not be checked: " + text).c_str());
    } catch (...) {
        report(context, "", "could not be checked");
    }
    return 1;
}

extern "C" int reactord_schema_is_quick(const reactord_schema *schema)
{
    return schema->isLinear && !schema->isForeign ? 1 : 0;
}

extern "C" void reactord_schema_free(reactord_schema *schema)
{
    delete schema;
}
