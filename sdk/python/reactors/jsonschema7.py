"""JSON Schema draft 7, as `message.jsonschema` uses it: no package, and nothing is ever fetched."""

import datetime
import ipaddress
import json
import re
from urllib.parse import unquote, urldefrag, urljoin, urlsplit

_TYPES = {
    "null": lambda value: value is None,
    "boolean": lambda value: isinstance(value, bool),
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "string": lambda value: isinstance(value, str),
    "number": lambda value: _is_number(value),
    "integer": lambda value: _is_number(value) and (isinstance(value, int) or value.is_integer()),
}
_DEEPEST = 200


class SchemaError(Exception):
    """A schema that cannot be used."""


class ValidationError(Exception):
    """A value that does not match; the message names the place as a JSON pointer."""


class Schema:
    """A schema that was read; `problems(value)` says what is wrong, at most one line for each keyword."""

    def __init__(self, document):
        if not isinstance(document, (dict, bool)):
            raise SchemaError("a schema is an object, or true or false")
        self._document = document
        self._named = {}
        base = document.get("$id", "") if isinstance(document, dict) else ""
        self._base = base if isinstance(base, str) else ""
        self._named[_whole(self._base)] = document
        self._collect(document, self._base)

    @classmethod
    def read(cls, path):
        try:
            with open(path, encoding="utf-8") as file:
                return cls(json.load(file))
        except (OSError, ValueError) as error:
            raise SchemaError("{} cannot be used: {}".format(path, error)) from None

    def problems(self, value):
        found = []
        self._check(self._document, value, "", self._base, found, 0)
        return found

    def validate(self, value):
        found = self.problems(value)
        if found:
            raise ValidationError("; ".join(found))

    def _collect(self, schema, base):
        """Remembers every subschema that has a name of its own."""
        if isinstance(schema, list):
            for item in schema:
                self._collect(item, base)
        if not isinstance(schema, dict):
            return
        if isinstance(schema.get("$id"), str) and "$ref" not in schema:
            base = urljoin(base, schema["$id"])
            self._named.setdefault(_whole(base), schema)
        for keyword, value in schema.items():
            if keyword not in ("const", "enum", "default", "examples"):
                self._collect(value, base)

    def _resolve(self, reference, base):
        target = urljoin(base, reference)
        document, fragment = urldefrag(target)
        if _whole(target) in self._named:
            return self._named[_whole(target)], target
        if document not in self._named:
            raise SchemaError("{} refers to another document, and nothing is fetched".format(reference))
        schema, base = self._named[document], document
        for word in unquote(fragment).split("/")[1:]:
            word = word.replace("~1", "/").replace("~0", "~")
            try:
                schema = schema[int(word)] if isinstance(schema, list) else schema[word]
            except (KeyError, IndexError, ValueError, TypeError):
                raise SchemaError("{} refers to nothing".format(reference)) from None
            if isinstance(schema, dict) and isinstance(schema.get("$id"), str) and "$ref" not in schema:
                base = urljoin(base, schema["$id"])
        return schema, base

    def _fits(self, schema, value, base, depth):
        found = []
        self._check(schema, value, "", base, found, depth)
        return not found

    def _check(self, schema, value, place, base, found, depth):
        if depth > _DEEPEST:
            raise SchemaError("the schema refers to itself without end")
        if schema is True or schema is False:
            if not schema:
                found.append("{}: nothing is allowed here".format(place or "/"))
            return
        if not isinstance(schema, dict):
            raise SchemaError("a schema is an object, or true or false")
        if "$ref" in schema:
            target, base = self._resolve(schema["$ref"], base)
            return self._check(target, value, place, base, found, depth + 1)
        if isinstance(schema.get("$id"), str):
            base = urljoin(base, schema["$id"])
        reasons = list(_plain_problems(schema, value))
        if isinstance(value, str):
            reasons += _text_problems(schema, value)
        elif isinstance(value, list):
            reasons += self._list_problems(schema, value, place, base, found, depth)
        elif isinstance(value, dict):
            reasons += self._object_problems(schema, value, place, base, found, depth)
        found += ["{}: {}".format(place or "/", reason) for reason in reasons]
        self._combined(schema, value, place, base, found, depth)

    def _combined(self, schema, value, place, base, found, depth):
        for part in schema.get("allOf", []):
            self._check(part, value, place, base, found, depth + 1)
        if "anyOf" in schema and not any(self._fits(part, value, base, depth + 1) for part in schema["anyOf"]):
            found.append("{}: matches none of the alternatives (anyOf)".format(place or "/"))
        if "oneOf" in schema:
            count = sum(self._fits(part, value, base, depth + 1) for part in schema["oneOf"])
            if count != 1:
                found.append("{}: matches {} of the alternatives, not one (oneOf)".format(place or "/", count))
        if "not" in schema and self._fits(schema["not"], value, base, depth + 1):
            found.append("{}: matches what it must not match (not)".format(place or "/"))
        if "if" in schema:
            branch = "then" if self._fits(schema["if"], value, base, depth + 1) else "else"
            if branch in schema:
                self._check(schema[branch], value, place, base, found, depth + 1)

    def _list_problems(self, schema, value, place, base, found, depth):
        items = schema.get("items", True)
        if isinstance(items, list):
            others = schema.get("additionalItems", True)
            pairs = list(zip(items, value)) + [(others, item) for item in value[len(items):]]
        else:
            pairs = [(items, item) for item in value]
        for index, (part, item) in enumerate(pairs):
            self._check(part, item, "{}/{}".format(place, index), base, found, depth + 1)
        if len(value) > schema.get("maxItems", len(value)):
            yield "has {} items, at most {}".format(len(value), schema["maxItems"])
        if len(value) < schema.get("minItems", 0):
            yield "has {} items, at least {}".format(len(value), schema["minItems"])
        if schema.get("uniqueItems") and len({_key(item) for item in value}) < len(value):
            yield "has the same item twice"
        if "contains" in schema and not any(self._fits(schema["contains"], item, base, depth + 1) for item in value):
            yield "has no item of the kind that it must contain"

    def _object_problems(self, schema, value, place, base, found, depth):
        properties, patterns = schema.get("properties", {}), schema.get("patternProperties", {})
        for name, item in value.items():
            inner = "{}/{}".format(place, name.replace("~", "~0").replace("/", "~1"))
            parts = [properties[name]] if name in properties else []
            parts += [part for pattern, part in patterns.items() if _search(pattern, name)]
            if not parts and schema.get("additionalProperties") is False:
                yield "{!r} is not known here".format(name)
            elif not parts and "additionalProperties" in schema:
                parts = [schema["additionalProperties"]]
            for part in parts:
                self._check(part, item, inner, base, found, depth + 1)
            if "propertyNames" in schema and not self._fits(schema["propertyNames"], name, base, depth + 1):
                yield "{!r} cannot be a name here".format(name)
        for name in schema.get("required", []):
            if name not in value:
                yield "{!r} is missing".format(name)
        for name, part in schema.get("dependencies", {}).items():
            if name not in value:
                continue
            if isinstance(part, list):
                for other in part:
                    if other not in value:
                        yield "{!r} is missing, which {!r} needs".format(other, name)
            else:
                self._check(part, value, place, base, found, depth + 1)
        if len(value) > schema.get("maxProperties", len(value)):
            yield "has {} members, at most {}".format(len(value), schema["maxProperties"])
        if len(value) < schema.get("minProperties", 0):
            yield "has {} members, at least {}".format(len(value), schema["minProperties"])


def _whole(reference):
    return reference[:-1] if reference.endswith("#") else reference


def _is_number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _key(value):
    """Equal for values that are equal in JSON: 1 is 1.0, and true is not 1."""
    if isinstance(value, bool) or value is None:
        return ("word", value)
    if _is_number(value):
        return ("number", int(value) if isinstance(value, float) and value.is_integer() else value)
    if isinstance(value, str):
        return ("text", value)
    if isinstance(value, list):
        return ("list", tuple(_key(item) for item in value))
    return ("object", frozenset((name, _key(item)) for name, item in value.items()))


def _plain_problems(schema, value):
    kinds = schema.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else kinds
    unknown = [kind for kind in kinds if kind not in _TYPES]
    if unknown:
        raise SchemaError("{!r} is no type".format(unknown[0]))
    if kinds and not any(_TYPES[kind](value) for kind in kinds):
        yield "is not of type {}".format(" or ".join(kinds))
    if "enum" in schema and _key(value) not in [_key(item) for item in schema["enum"]]:
        yield "is none of {}".format(", ".join(json.dumps(item) for item in schema["enum"]))
    if "const" in schema and _key(value) != _key(schema["const"]):
        yield "is not {}".format(json.dumps(schema["const"]))
    if not _is_number(value):
        return
    if "maximum" in schema and value > schema["maximum"]:
        yield "is more than {}".format(schema["maximum"])
    if "exclusiveMaximum" in schema and value >= schema["exclusiveMaximum"]:
        yield "is not less than {}".format(schema["exclusiveMaximum"])
    if "minimum" in schema and value < schema["minimum"]:
        yield "is less than {}".format(schema["minimum"])
    if "exclusiveMinimum" in schema and value <= schema["exclusiveMinimum"]:
        yield "is not more than {}".format(schema["exclusiveMinimum"])
    if "multipleOf" in schema and not _is_multiple(value, schema["multipleOf"]):
        yield "is no multiple of {}".format(schema["multipleOf"])


def _is_multiple(value, factor):
    if isinstance(value, int) and isinstance(factor, int):
        return value % factor == 0
    quotient = value / factor
    return quotient not in (float("inf"), float("-inf")) and abs(quotient - round(quotient)) < 1e-9


def _text_problems(schema, value):
    if len(value) > schema.get("maxLength", len(value)):
        yield "has {} letters, at most {}".format(len(value), schema["maxLength"])
    if len(value) < schema.get("minLength", 0):
        yield "has {} letters, at least {}".format(len(value), schema["minLength"])
    if "pattern" in schema and not _search(schema["pattern"], value):
        yield "does not match {}".format(schema["pattern"])
    check = _FORMATS.get(schema.get("format"))
    if check and not check(value):
        yield "is no {}".format(schema["format"])


def _search(pattern, text):
    try:
        return re.search(pattern, text)
    except re.error as error:
        raise SchemaError("{!r} is no regular expression: {}".format(pattern, error)) from None


def _works(function):
    def check(text):
        try:
            return bool(function(text))
        except ValueError:
            return False
    return check


def _is_moment(text):
    found = re.match(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[-+]\d\d:\d\d)\Z", text)
    return found and datetime.datetime.strptime(text[:19].upper(), "%Y-%m-%dT%H:%M:%S")


_FORMATS = {
    "date-time": _works(_is_moment),
    "date": _works(lambda text: re.match(r"\d{4}-\d\d-\d\d\Z", text) and datetime.date(
        int(text[:4]), int(text[5:7]), int(text[8:]))),
    "email": _works(lambda text: re.match(r"[^@\s]+@[^@\s]+\Z", text)),
    "ipv4": _works(ipaddress.IPv4Address),
    "ipv6": _works(ipaddress.IPv6Address),
    "uri": _works(lambda text: urlsplit(text).scheme and not re.search(r"\s", text)),
    "hostname": _works(lambda text: len(text) < 254 and all(
        re.match(r"(?!-)[A-Za-z0-9-]{1,63}(?<!-)\Z", part) for part in text.split("."))),
}
