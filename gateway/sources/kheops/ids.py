"""What Kheops's names of things look like: nothing else goes into a path."""

import re

ALBUM = re.compile(r"[A-Za-z0-9]{10}\Z")
CAPABILITY = re.compile(r"[A-Za-z0-9]{22}\Z")
CAPABILITY_ID = re.compile(r"[A-Za-z0-9]{1,64}\Z")

INBOX = "inbox"
"""In the API's paths, beside the ids of albums, which have ten characters."""


def is_album(text: str) -> bool:
    """Return whether a text is the id of an album."""
    return ALBUM.match(text) is not None


def is_capability(text: str) -> bool:
    """Return whether a text has the form of a capability token; an OpenID provider's have dots."""
    return CAPABILITY.match(text) is not None


def is_capability_id(text: str) -> bool:
    """Return whether a text is the id by which a capability token is revoked."""
    return CAPABILITY_ID.match(text) is not None
