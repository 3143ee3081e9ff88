"""Random texts that stand for somebody: made, kept as digests, and compared."""

import hashlib
import hmac
import secrets

CHARACTERS = 43
"""Of 256 bits in base64url."""


def new_text() -> str:
    """Return 256 random bits as a text for URLs and cookies."""
    return secrets.token_urlsafe(32)


def digest_of(text: str) -> bytes:
    """Return what may be kept of a text: whoever reads it cannot tell the text."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


def is_same(text: str, expected: str) -> bool:
    """Compare in a time that does not tell how much is right; an empty text is never right."""
    return bool(expected) and hmac.compare_digest(digest_of(text), digest_of(expected))
