"""`from reactors.runtime import Reactor`, as scripts of the later SDK say it."""

from . import agaveutils
from .client import AgaveError
from .reactor import Reactor

__all__ = ["AgaveError", "Reactor", "agaveutils"]
