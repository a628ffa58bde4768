"""`agave://system/folder/file` taken apart and put together."""

import posixpath

from .client import AgaveError


def from_agave_uri(uri=None, Validate=False):
    """`(system, folder, file)` of an agave:// URI; AgaveError when it is none.

    `Validate` is taken and ignored, as old scripts pass it: there is no storage service to ask.
    """
    prefix = "agave://"
    text = "" if uri is None else str(uri)
    system, slash, path = text[len(prefix):].partition("/") if text.startswith(prefix) else ("", "", "")
    if not system or not slash:
        raise AgaveError("{!r} is not an agave URI: write agave://SYSTEM/FOLDER/FILE".format(uri))
    folder, name = posixpath.split(posixpath.normpath("/" + path.lstrip("/")) if path else "/")
    return system, folder, name


def to_agave_uri(systemId=None, dirPath=None, fileName=None):
    """The URI of a file; AgaveError without a system and a folder."""
    if not systemId or dirPath is None:
        raise AgaveError("an agave URI needs a system and a folder")
    parts = [part.strip("/") for part in (dirPath, fileName or "") if part.strip("/")]
    return "agave://" + "/".join([systemId] + parts)
