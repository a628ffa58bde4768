"""Reads the YAML of configuration files without any package: mappings, lists, texts of all kinds, comments.

Plain words mean what they meant to the first SDK (YAML 1.1): `yes`, `no`, `on` and `off` are true and false, `0644` is
octal, `12:30:00` is a number, `2018-09-18` is a date; put quotes around what is to stay text. What is left out - tags,
anchors, several documents - is refused with its line, never misread.
"""

import datetime
import re

_BOOLEANS = {"yes": True, "true": True, "on": True, "no": False, "false": False, "off": False}
_NULLS = ("", "~", "null", "Null", "NULL")
_INTEGER = re.compile(r"[-+]?(?:0b[01_]+|0x[0-9a-fA-F_]+|0[0-7_]*|[1-9][0-9_]*(?::[0-5]?[0-9])*)\Z")
_FLOAT = re.compile(
    r"[-+]?(?:[0-9][0-9_]*\.[0-9_]*(?:[eE][-+][0-9]+)?|\.[0-9][0-9_]*(?:[eE][-+][0-9]+)?"
    r"|[0-9][0-9_]*(?::[0-5]?[0-9])+\.[0-9_]*|\.(?:inf|Inf|INF))\Z|\.(?:nan|NaN|NAN)\Z"
)
_DATE = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})\Z")
_MOMENT = re.compile(
    r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})(?:[Tt]|[ \t]+)([0-9]{1,2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]*))?"
    r"(?:[ \t]*(?:(Z)|([-+])([0-9]{1,2})(?::([0-9]{2}))?))?\Z"
)
_ESCAPES = {
    "0": "\0", "a": "\a", "b": "\b", "t": "\t", "\t": "\t", "n": "\n", "v": "\v", "f": "\f", "r": "\r", "e": "\x1b",
    " ": " ", '"': '"', "/": "/", "\\": "\\", "N": "\x85", "_": "\xa0", "L": "\u2028", "P": "\u2029",
}
_DEEPEST = 64


class YAMLError(ValueError):
    """A text that cannot be read; `line` counts from 1."""

    def __init__(self, reason, line):
        super().__init__("line {}: {}".format(line, reason))
        self.reason, self.line = reason, line


def load(text):
    """The value of a YAML text, None for an empty one."""
    return _Reader(text).document()


def scalar(text):
    """What a plain word stands for."""
    if text in _NULLS:
        return None
    if text.lower() in _BOOLEANS and text in (text.lower(), text.upper(), text.capitalize()):
        return _BOOLEANS[text.lower()]
    if _INTEGER.match(text):
        return _integer(text.replace("_", ""))
    if _FLOAT.match(text):
        return _float(text.replace("_", "").lower())
    try:
        return _moment(text)
    except ValueError:
        return text


def _integer(text):
    sign = -1 if text[0] == "-" else 1
    digits = text.lstrip("+-")
    if ":" in digits:
        return sign * _sexagesimal([int(part) for part in digits.split(":")])
    for prefix, base in (("0b", 2), ("0x", 16)):
        if digits.startswith(prefix):
            return sign * int(digits[2:], base)
    return sign * int(digits, 8 if digits[0] == "0" else 10)


def _float(text):
    sign = -1.0 if text[0] == "-" else 1.0
    digits = text.lstrip("+-")
    if digits in (".inf", ".nan"):
        return sign * float(digits[1:])
    return sign * (_sexagesimal([float(part) for part in digits.split(":")]) if ":" in digits else float(digits))


def _sexagesimal(parts):
    number = parts[0]
    for part in parts[1:]:
        number = number * 60 + part
    return number


def _moment(text):
    found = _DATE.match(text)
    if found:
        return datetime.date(*(int(part) for part in found.groups()))
    found = _MOMENT.match(text)
    if not found:
        return text
    year, month, day, hour, minute, second, fraction, utc, sign, hours, minutes = found.groups()
    zone = None
    if utc:
        zone = datetime.timezone.utc
    elif sign:
        offset = datetime.timedelta(hours=int(hours), minutes=int(minutes or 0))
        zone = datetime.timezone(-offset if sign == "-" else offset)
    return datetime.datetime(
        int(year), int(month), int(day), int(hour), int(minute), int(second),
        int(((fraction or "") + "000000")[:6]), zone)


class _Reader:
    """Goes down the lines once. `- key: value` is read by blanking the dash, so that columns stay what they are."""

    def __init__(self, text):
        self.lines = text.lstrip("\ufeff").replace("\r\n", "\n").replace("\r", "\n").split("\n")
        if len(self.lines) > 1 and not self.lines[-1]:
            self.lines.pop()
        self.row = 0
        self.depth = 0

    def document(self):
        self._skip()
        if self._here().startswith("%"):
            self._refuse("directives are not read: leave out the line")
        if re.match(r"---(\s|\Z)", self._here()):
            self.lines[self.row] = "   " + self.lines[self.row][3:]
        value = self._block(0)
        self._skip()
        if re.match(r"\.\.\.\s*\Z", self._here()):
            self.row += 1
            self._skip()
        if self.row < len(self.lines):
            if self._here().startswith("---"):
                self._refuse("a second document begins here: keep one")
            self._refuse("it does not belong to what stands above: check the indentation")
        return value

    # Lines

    def _here(self):
        return self.lines[self.row] if self.row < len(self.lines) else ""

    def _refuse(self, reason, row=None):
        raise YAMLError(reason, min((self.row if row is None else row) + 1, len(self.lines)))

    def _skip(self):
        """To the next line that says something."""
        while self.row < len(self.lines):
            bare = self.lines[self.row].strip(" \t")
            if bare and not bare.startswith("#"):
                return
            self.row += 1

    def _indent(self):
        line = self._here()
        blanks = len(line) - len(line.lstrip(" "))
        if line[blanks:blanks + 1] == "\t":
            self._refuse("a tab indents it: use blanks")
        return blanks

    def _at_end(self):
        return self.row >= len(self.lines) or bool(re.match(r"(---|\.\.\.)(\s|\Z)", self._here()))

    # Blocks

    def _block(self, least):
        """What begins at the next line, if that is indented by at least so much."""
        self._skip()
        if self._at_end() or self._indent() < least:
            return None
        self.depth += 1
        if self.depth > _DEEPEST:
            self._refuse("it is nested more than {} levels deep".format(_DEEPEST))
        column = self._indent()
        if self._is_item(column):
            value = self._list(column)
        elif self._key(column) is not None:
            value = self._mapping(column)
        else:
            value = self._value(column, least - 1)
        self.depth -= 1
        return value

    def _is_item(self, column):
        return bool(re.match(r"-(\s|\Z)", self._here()[column:]))

    def _list(self, column):
        items = []
        while True:
            self._skip()
            if self._at_end() or self._indent() != column or not self._is_item(column):
                break
            line = self.lines[self.row]
            self.lines[self.row] = line[:column] + " " + line[column + 1:]
            rest = self.lines[self.row].strip(" \t")
            if not rest or rest.startswith("#"):
                self.row += 1
                items.append(self._block(column + 1))
            else:
                inner = self._indent()
                nested = self._is_item(inner) or self._key(inner) is not None
                items.append(self._block(column + 1) if nested else self._value(inner, column))
        if not self._at_end() and self._indent() > column:
            self._refuse("it is indented more than the list it would belong to")
        return items

    def _mapping(self, column):
        pairs = {}
        while True:
            self._skip()
            if self._at_end() or self._indent() != column or self._is_item(column):
                break
            found = self._key(column)
            if found is None:
                self._refuse("a key and a colon are missing: write `key: value`")
            key, after = found
            if key in pairs:
                self._refuse("the key {!r} is there twice: keep one".format(key))
            pairs[key] = self._mapped(column, after)
        if not self._at_end() and self._indent() > column:
            self._refuse("it is indented more than the keys it would belong to")
        return pairs

    def _mapped(self, column, after):
        rest = self._here()[after:].strip(" \t")
        if rest and not rest.startswith("#"):
            start = len(self._here()) - len(self._here()[after:].lstrip(" \t"))
            return self._value(start, column)
        self.row += 1
        self._skip()
        if not self._at_end() and self._indent() == column and self._is_item(column):
            return self._list(column)
        return self._block(column + 1)

    def _key(self, column):
        """The key that begins there and the column behind its colon; None when there is none."""
        line = self._here()
        if line[column:column + 1] in ('"', "'"):
            row = self.row
            try:
                key, end = _Scanner(self, row, column).quoted()
            except YAMLError:
                return None
            if end[0] != row:
                return None
            found = re.compile(r"[ \t]*:(?=\s|\Z)").match(line, end[1])
            return (key, found.end()) if found else None
        if line[column:column + 1] in "[{|>#":
            return None
        if re.match(r"\?(\s|\Z)", line[column:]):
            self._refuse("keys with a question mark are not read: write `key: value`")
        found = re.compile(r"((?:(?!\s#)[^:]|:(?=\S))*?)[ \t]*:(?=\s|\Z)").match(line, column)
        if not found:
            return None
        word = found.group(1)
        self._plain_start(word)
        if word == "<<":
            self._refuse("merge keys are not read: write the values out")
        return scalar(word), found.end()

    def _plain_start(self, word):
        names = {"&": "anchors", "*": "aliases", "!": "tags"}
        if word[:1] in names:
            self._refuse("{} are not read: write the value out".format(names[word[0]]))
        if re.match(r"-(\s|\Z)", word):
            self._refuse("a list begins on a line of its own")
        if word[:1] in ("%", "@", "`"):
            self._refuse("a text that begins with {} needs quotes".format(word[0]))

    # Values

    def _value(self, column, parent):
        """A scalar or a flow collection that begins there; `parent` is how far its owner is indented."""
        first = self._here()[column:column + 1]
        if first in ("|", ">"):
            return self._block_text(column, parent)
        if first in ('"', "'"):
            return self._finish(*_Scanner(self, self.row, column).quoted())
        if first in ("[", "{"):
            return self._finish(*_Scanner(self, self.row, column).flow(0))
        return self._plain(column, parent)

    def _finish(self, value, end):
        row, column = end
        if not re.match(r"[ \t]*(?:[ \t]#.*)?\Z", self.lines[row][column:]):
            self._refuse("there is more behind the value: {!r}".format(self.lines[row][column:].strip()[:40]), row)
        self.row = row + 1
        return value

    def _plain(self, column, parent):
        text = _uncommented(self._here()[column:])
        self._plain_start(text)
        self._no_mapping(text)
        self.row += 1
        lines, blanks = [text], 0
        while self.row < len(self.lines) and not self._at_end():
            bare = self.lines[self.row].strip(" \t")
            if not bare:
                blanks += 1
                self.row += 1
                continue
            if bare.startswith("#") or self._indent() <= parent:
                break
            text = _uncommented(bare)
            self._no_mapping(text)
            lines.append("\n" * blanks if blanks else " ")
            lines.append(text)
            blanks = 0
            self.row += 1
        return scalar(lines[0]) if len(lines) == 1 else "".join(lines)

    def _no_mapping(self, text):
        if re.search(r":(\s|\Z)", text):
            self._refuse("there is a second colon: put quotes around the text, or give the inner key its own line")

    def _block_text(self, column, parent):
        header = re.match(r"([|>])([-+]?)([1-9]?)([-+]?)[ \t]*(?:[ \t]#.*)?\Z", self._here()[column:])
        if not header:
            self._refuse("behind | or > only a digit, + or - may follow")
        style, chomp, width = header.group(1), header.group(2) or header.group(4), header.group(3)
        self.row += 1
        indent = max(parent, 0) + int(width) if width else None
        lines = []
        while self.row < len(self.lines):
            line = self.lines[self.row]
            blanks = len(line) - len(line.lstrip(" "))
            if line.strip(" "):
                if indent is None:
                    indent = blanks
                if blanks < indent or indent <= parent:
                    break
                lines.append(line[indent:])
            else:
                lines.append(line[indent:] if indent is not None else "")
            self.row += 1
        return _chomped(lines, chomp, style == ">")


def _uncommented(text):
    return re.split(r"(?:^|[ \t])#", text, maxsplit=1)[0].strip(" \t")


def _chomped(lines, chomp, folded):
    end = len(lines)
    while end and not lines[end - 1]:
        end -= 1
    body, tail = lines[:end], len(lines) - end
    text = _folded(body) if folded else "\n".join(body)
    if chomp == "-":
        return text
    if chomp == "+":
        return text + "\n" * (tail + (1 if body else 0))
    return text + "\n" if body else ""


def _folded(lines):
    """Single line breaks become blanks; lines that are indented further keep theirs."""
    index = next((number for number, line in enumerate(lines) if line), len(lines))
    text = "\n" * index
    while index < len(lines):
        text += lines[index]
        following = index + 1
        while following < len(lines) and not lines[following]:
            following += 1
        if following == len(lines):
            return text
        breaks = following - index
        kept = lines[index][:1] in (" ", "\t") or lines[following][:1] in (" ", "\t")
        text += "\n" * breaks if kept else ("\n" * (breaks - 1) if breaks > 1 else " ")
        index = following
    return text


class _Scanner:
    """Goes over characters, across lines: quoted texts and flow collections."""

    def __init__(self, reader, row, column):
        self.reader, self.row, self.column = reader, row, column

    def _refuse(self, reason):
        self.reader._refuse(reason, self.row)

    def _line(self):
        return self.reader.lines[self.row]

    def _peek(self):
        return self._line()[self.column:self.column + 1]

    def _next_line(self, what):
        self.row += 1
        self.column = 0
        if self.row >= len(self.reader.lines):
            self.row -= 1
            self._refuse("{} is not closed".format(what))

    def quoted(self):
        """The text and the (row, column) behind its closing quote."""
        quote = self._peek()
        self.column += 1
        text = ""
        while True:
            letter = self._peek()
            if letter == "":
                text = self._break(text)
            elif letter == quote:
                self.column += 1
                if quote == "'" and self._peek() == "'":
                    text += "'"
                    self.column += 1
                else:
                    return text, (self.row, self.column)
            elif letter == "\\" and quote == '"':
                text += self._escape()
            else:
                text += letter
                self.column += 1

    def _break(self, text):
        """A line break in a quoted text is a blank; empty lines are line breaks."""
        blanks = 0
        while True:
            self._next_line("a quote")
            self.column = len(self._line()) - len(self._line().lstrip(" \t"))
            if self._peek():
                break
            blanks += 1
        return text.rstrip(" \t") + ("\n" * blanks if blanks else " ")

    def _escape(self):
        letter = self._line()[self.column + 1:self.column + 2]
        if letter == "":
            self._next_line("a quote")
            self.column = len(self._line()) - len(self._line().lstrip(" \t"))
            return ""
        self.column += 2
        if letter in _ESCAPES:
            return _ESCAPES[letter]
        count = {"x": 2, "u": 4, "U": 8}.get(letter)
        digits = self._line()[self.column:self.column + (count or 0)]
        if not count or not re.match(r"[0-9a-fA-F]{%d}\Z" % count, digits) or int(digits, 16) > 0x10FFFF:
            self._refuse("\\{} is no escape; double the backslash, or use single quotes".format(letter))
        self.column += count
        return chr(int(digits, 16))

    def _blank(self):
        """Over blanks, line ends and comments."""
        while True:
            rest = self._line()[self.column:]
            bare = rest.lstrip(" \t")
            self.column += len(rest) - len(bare)
            before = self._line()[self.column - 1:self.column]
            if bare and not (bare.startswith("#") and before in ("", " ", "\t")):
                return
            self._next_line("a bracket")

    def flow(self, depth):
        """A collection in brackets and the (row, column) behind it."""
        if depth > _DEEPEST:
            self._refuse("it is nested more than {} levels deep".format(_DEEPEST))
        opening = self._peek()
        self.column += 1
        result = [] if opening == "[" else {}
        closing = "]" if opening == "[" else "}"
        while True:
            self._blank()
            if self._peek() == closing:
                break
            if opening == "[":
                item = self._flow_value(depth)
                self._blank()
                if self._colon():
                    item = {item: self._flow_value(depth) if self._has_value() else None}
                result.append(item)
            else:
                self._flow_pair(result, depth)
            self._blank()
            if self._peek() == ",":
                self.column += 1
            elif self._peek() != closing:
                self._refuse("a comma or {} is missing".format(closing))
        self.column += 1
        return result, (self.row, self.column)

    def _flow_pair(self, pairs, depth):
        key = self._flow_value(depth)
        if isinstance(key, (dict, list)):
            self._refuse("a key must be a text")
        if key in pairs:
            self._refuse("the key {!r} is there twice: keep one".format(key))
        self._blank()
        pairs[key] = None
        if self._colon():
            pairs[key] = self._flow_value(depth) if self._has_value() else None

    def _colon(self):
        if self._peek() != ":":
            return False
        self.column += 1
        return True

    def _has_value(self):
        self._blank()
        return self._peek() not in (",", "]", "}")

    def _flow_value(self, depth):
        first = self._peek()
        if first in ("[", "{"):
            value, (self.row, self.column) = self.flow(depth + 1)
            return value
        if first in ('"', "'"):
            value, (self.row, self.column) = self.quoted()
            return value
        words = []
        while True:
            found = re.compile(r"(?:(?!\s#)[^,\[\]{}:]|:(?=[^\s,\[\]{}]))*").match(self._line(), self.column)
            words.append(found.group(0).strip(" \t"))
            self.column = found.end()
            if self._peek() and not re.match(r"\s#", self._line()[self.column:]):
                break
            self._blank()
            if self._peek() in (",", "]", "}", ":"):
                break
        text = " ".join(word for word in words if word)
        self.reader.row, row = self.row, self.reader.row
        self.reader._plain_start(text)
        self.reader.row = row
        if not text and self._peek() != ":":
            self._refuse("a value is missing")
        return scalar(text)
