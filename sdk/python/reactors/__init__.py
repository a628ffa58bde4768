"""What a scripted actor sees: `Reactor`, its message, settings, state, log and the actors API."""

from .attrdict import AttrDict
from .client import AgaveError, ApiError
from .reactor import Reactor

__version__ = "0.1.0"
__all__ = ["AgaveError", "ApiError", "AttrDict", "Reactor", "__version__"]
