#include "Constraints.hpp"

#include "Matching.hpp"

#include <cmath>
#include <limits>
#include <memory>
#include <set>

#include <valijson/constraints/concrete_constraints.hpp>

namespace reactord {

namespace {

using valijson::adapters::Adapter;
using Context = std::vector<std::string>;
using Results = valijson::ValidationResults;

/// What valijson wants of every constraint of one's own: copies of itself in memory that it provides.
template <typename Self>
class Check : public valijson::constraints::PolyConstraint {
    valijson::constraints::Constraint *cloneInto(void *memory) const override
    {
        return new (memory) Self(static_cast<const Self &>(*this));
    }

    size_t sizeOf() const override { return sizeof(Self); }
};

template <typename Self>
struct Builder : valijson::ConstraintBuilder {
    valijson::constraints::Constraint *make(const Adapter &value) const override { return new Self(value); }
};

bool refuse(const Context &context, Results *results, const std::string &text)
{
    if (results != nullptr) {
        results->pushError(context, text);
    }
    return false;
}

/// `pattern`. Compiled once and shared by all copies.
class Pattern : public Check<Pattern> {
public:
    explicit Pattern(const Adapter &value)
        : text(value.getString()), matcher(text)
    {
    }

    bool validate(const Adapter &target, const Context &context, Results *results) const override
    {
        if (!target.isString()) {
            return true;
        }
        const std::string string = target.getString();
        const size_t limit = matcher.size.longestMatch();
        if (string.size() > limit) {
            throw NotMatched{
                context, "is longer than " + std::to_string(limit) + " bytes, too long to be matched with its pattern"};
        }
        Matching::pay(string.size(), matcher.size, context);
        return matcher.search(string) || refuse(context, results, "does not match the pattern " + text);
    }

private:
    std::string text;
    Matcher matcher;
};

/// `type`; the only one that can name both what is wanted and what is there.
class Type : public Check<Type> {
public:
    explicit Type(const Adapter &value)
    {
        if (value.isString()) {
            names.push_back(value.getString());
        } else {
            value.applyToArray([this](const Adapter &name) {
                names.push_back(name.getString());
                return true;
            });
        }
    }

    bool validate(const Adapter &target, const Context &context, Results *results) const override
    {
        const std::string actual = name(target);
        std::string wanted;
        for (const std::string &name : names) {
            if (name == actual || (name == "number" && actual == "integer")) {
                return true;
            }
            wanted += (wanted.empty() ? "" : " or ") + name;
        }
        return refuse(context, results, "must be " + wanted + ", not " + actual);
    }

private:
    static std::string name(const Adapter &target)
    {
        if (target.isNumber()) {
            // 1.0 is an integer (draft 6 and later).
            return std::floor(target.getNumber()) == target.getNumber() ? "integer" : "number";
        }
        return target.isString() ? "string" : target.isObject() ? "object" : target.isArray() ? "array"
            : target.isBool() ? "boolean" : "null";
    }

    std::vector<std::string> names;
};

/// `multipleOf`. valijson cuts the fraction off and divides by zero.
class MultipleOf : public Check<MultipleOf> {
public:
    explicit MultipleOf(const Adapter &value) : divisor(value.getNumber()), whole(0)
    {
        if (value.isInteger()) {
            value.getInteger(whole);
        }
    }

    bool validate(const Adapter &target, const Context &context, Results *results) const override
    {
        if (!target.isNumber()) {
            return true;
        }
        int64_t integer = 0;
        if (whole > 0 && target.isInteger() && target.getInteger(integer)) {
            return integer % whole == 0 || refuse(context, results, problem());
        }
        const double number = target.getNumber();
        // Decimal fractions are not exact in binary: a few units in the last place of the number are forgiven.
        const double slack = std::min(
            4 * std::numeric_limits<double>::epsilon() * std::fabs(number), divisor * 1e-9);
        return std::fabs(std::remainder(number, divisor)) <= slack || refuse(context, results, problem());
    }

private:
    std::string problem() const
    {
        return "must be a multiple of " + (whole > 0 ? nlohmann::json(whole) : nlohmann::json(divisor)).dump();
    }

    double divisor;
    int64_t whole;
};

/// A text that is equal for equal values only.
void canonical(const Adapter &value, std::string &text)
{
    int64_t integer = 0;
    if (value.isNull()) {
        text += "n";
    } else if (value.isBool()) {
        text += value.getBool() ? "t" : "f";
    } else if (value.isInteger() && value.getInteger(integer)) {
        text += "#" + std::to_string(integer);
    } else if (value.isNumber()) {
        const double number = value.getNumber();
        const bool isWhole = std::floor(number) == number && std::fabs(number) < 9.2e18;
        text += "#" + (isWhole ? std::to_string(static_cast<int64_t>(number)) : nlohmann::json(number).dump());
    } else if (value.isString()) {
        const std::string string = value.getString();
        text += "\"" + std::to_string(string.size()) + ":" + string;
    } else if (value.isArray()) {
        text += "[";
        value.applyToArray([&text](const Adapter &item) {
            canonical(item, text);
            text += ",";
            return true;
        });
        text += "]";
    } else {
        text += "{";
        value.applyToObject([&text](const std::string &name, const Adapter &member) {
            text += std::to_string(name.size()) + ":" + name + "=";
            canonical(member, text);
            return true;
        });
        text += "}";
    }
}

/// `uniqueItems`. valijson compares every pair, which a large array turns into hours.
class UniqueItems : public Check<UniqueItems> {
public:
    explicit UniqueItems(const Adapter &) {}

    bool validate(const Adapter &target, const Context &context, Results *results) const override
    {
        if (!target.isArray()) {
            return true;
        }
        std::set<std::string> seen;
        bool isUnique = true;
        size_t index = 0;
        target.applyToArray([&](const Adapter &item) {
            std::string text;
            canonical(item, text);
            isUnique = seen.insert(std::move(text)).second;
            index += isUnique ? 1 : 0;
            return isUnique;
        });
        return isUnique || refuse(context, results, "item " + std::to_string(index) + " repeats an earlier one");
    }
};

}  // namespace

void addConstraints(valijson::SchemaParser &parser)
{
    parser.addConstraintBuilder("reactord:pattern", new Builder<Pattern>());
    parser.addConstraintBuilder("reactord:type", new Builder<Type>());
    parser.addConstraintBuilder("reactord:multipleOf", new Builder<MultipleOf>());
    parser.addConstraintBuilder("reactord:uniqueItems", new Builder<UniqueItems>());
}

}  // namespace reactord
