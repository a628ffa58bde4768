"""A dict whose keys can be read and set as attributes, at every depth."""


class AttrDict(dict):
    """`settings.pipelines.authn` and `settings["pipelines"]["authn"]` are the same thing.

    Keys that are no identifiers, or that are named like a method of dict, are reached by brackets. `a + b` is a new one
    in which b's values win, merged to any depth.
    """

    def __init__(self, *arguments, **pairs):
        super().__init__()
        self.update(*arguments, **pairs)

    def update(self, *arguments, **pairs):
        for key, value in dict(*arguments, **pairs).items():
            self[key] = value

    def setdefault(self, key, default=None):
        if key not in self:
            self[key] = default
        return self[key]

    def __setitem__(self, key, value):
        super().__setitem__(key, _converted(value))

    def __getattr__(self, name):
        try:
            return self[name]
        except KeyError:
            pass
        if name.startswith("__"):
            raise AttributeError(name)
        known = ", ".join(sorted(str(key) for key in self)[:20]) or "nothing"
        raise AttributeError("there is no {!r} here; there is: {}".format(name, known))

    def __setattr__(self, name, value):
        self[name] = value

    def __delattr__(self, name):
        try:
            del self[name]
        except KeyError:
            raise AttributeError(name) from None

    def __add__(self, other):
        return AttrDict(merged(self, other)) if isinstance(other, dict) else NotImplemented

    def copy(self):
        return AttrDict(self)

    def as_dict(self):
        """The same as plain dicts and lists."""
        return _plain(self)


def merged(left, right):
    """Two dicts in one: right wins, also with None; dicts are merged, lists are replaced."""
    result = dict(left)
    for key, value in right.items():
        before = result.get(key)
        both = isinstance(before, dict) and isinstance(value, dict)
        result[key] = merged(before, value) if both else value
    return result


def _converted(value):
    if isinstance(value, dict) and not isinstance(value, AttrDict):
        return AttrDict(value)
    if isinstance(value, list):
        return [_converted(item) for item in value]
    return value


def _plain(value):
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value
