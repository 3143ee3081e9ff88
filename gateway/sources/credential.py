"""What a source is asked with: somebody's token, or nothing where the gateway has its own."""

from dataclasses import dataclass
from datetime import datetime

from starlette.datastructures import Secret

ACCESS, CAPABILITY, NONE = "access", "capability", "none"


@dataclass(frozen=True)
class Credential:
    """What a source is asked with.

    kind: "access" for an access token of the OpenID provider, "capability" for a token that Kheops
        gave out, "none" where the gateway has a credential of its own (DICOMweb).
    text: the token; it is never formatted.
    id: by which Kheops revokes a capability that was minted for a job; "" if it is not ours.
    expires_at: with a time zone; None if that is not known.
    """

    kind: str
    text: Secret
    id: str = ""
    expires_at: datetime | None = None


NO_CREDENTIAL = Credential(NONE, Secret(""))
