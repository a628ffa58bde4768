"""`config.yml` files, and the variables that go over them."""

import os

from . import yamltext
from .attrdict import AttrDict, merged

NAMESPACE = "_REACTOR"


class ConfigError(Exception):
    """A config.yml that cannot be used: the message names file and line."""


def read_settings(folders=None, environment=None, override=None):
    """The settings of all config.yml files, later folders over earlier ones, `override` over them, variables over all.

    Looked for in `/`, `/etc` and the current folder. A variable `_REACTOR_KEY` or `_REACTOR_KEY_SUBKEY` goes over a key
    that is in a file and whose value there is `~` or a text; it stays a text, and an empty one counts.
    """
    environment = os.environ if environment is None else environment
    settings = {}
    for folder in ("/", "/etc", os.getcwd()) if folders is None else folders:
        settings = merged(settings, _read(os.path.join(folder, "config.yml")))
    variables = _variables(settings, environment, [], 2)
    return AttrDict(merged(merged(settings, override or {}), variables))


def variable_name(keys):
    """`["logs", "level"]` is `_REACTOR_LOGS_LEVEL`."""
    return "_".join([NAMESPACE] + [str(key).upper() for key in keys])


def _read(path):
    try:
        with open(path, encoding="utf-8") as file:
            value = yamltext.load(file.read())
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError("{} cannot be read: {}".format(path, error)) from None
    except yamltext.YAMLError as error:
        raise ConfigError("{}:{}: {}".format(path, error.line, error.reason)) from None
    if value is not None and not isinstance(value, dict):
        raise ConfigError("{}:1: it takes keys and values, `key: value`".format(path))
    return value or {}


def _variables(settings, environment, keys, depth):
    """What the environment says about keys that are there."""
    result = {}
    for key, value in settings.items():
        name = variable_name(keys + [key])
        if (value is None or isinstance(value, str)) and name in environment:
            result[key] = environment[name]
        elif isinstance(value, dict) and depth > 1:
            inner = _variables(value, environment, keys + [key], depth - 1)
            if inner:
                result[key] = inner
    return result
