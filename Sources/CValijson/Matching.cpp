#include "Matching.hpp"

#include <stdexcept>

namespace reactord {

thread_local Matching *Matching::current = nullptr;

Matching::Matching(const KeyMatchers &keys, uint64_t effort) : keys(keys), left(effort), outer(current)
{
    current = this;
}

Matching::~Matching()
{
    current = outer;
}

void Matching::pay(size_t bytes, const PatternSize &size, const std::vector<std::string> &context)
{
    if (current == nullptr) {
        return;
    }
    const uint64_t steps = static_cast<uint64_t>(bytes + 1) * size.states;
    if (steps > current->left) {
        throw NotMatched{
            context,
            "takes too long to match: the message is too much for the patterns of its schema; send less in one "
            "message, or match fewer of its texts with shorter patterns"};
    }
    current->left -= steps;
}

const Matcher &Matching::ofKeys(const std::string &pattern)
{
    if (current == nullptr || current->keys.count(pattern) == 0) {
        throw std::logic_error("the pattern of keys " + pattern + " is unknown");
    }
    return current->keys.at(pattern);
}

}  // namespace reactord

namespace valijson {

template <>
template <>
bool ValidationVisitor<adapters::NlohmannJsonAdapter>::ValidatePatternPropertySubschemas::operator()(
    const constraints::PropertiesConstraint::String &pattern, const Subschema *subschema) const
{
    const std::string text(pattern.c_str());
    const reactord::Matcher &matcher = reactord::Matching::ofKeys(text);
    for (const auto member : m_object) {
        reactord::Matching::pay(member.first.size(), matcher.size, m_context);
        if (!matcher.search(member.first)) {
            continue;
        }
        m_propertiesMatched->insert(member.first);
        std::vector<std::string> context = m_context;
        context.push_back("[" + member.first + "]");
        ValidationVisitor visitor(member.second, context, m_strictTypes, m_results, m_regexesCache);
        if (visitor.validateSchema(*subschema)) {
            continue;
        }
        if (m_results != nullptr) {
            m_results->pushError(
                m_context, "Failed to validate against schema associated with pattern '" + text + "'.");
        }
        *m_validated = false;
        if (m_results == nullptr) {
            return false;
        }
    }
    return true;
}

}  // namespace valijson
