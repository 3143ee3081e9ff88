"""Deep features of DICOM studies, from a gateway or a Triton of triton-deep-features."""

from deep_features_client.answers import Answer, Row
from deep_features_client.errors import (
    Busy,
    DeepFeaturesError,
    NotAllowed,
    Refused,
    ServerFailed,
    TimedOut,
    Unreachable,
)
from deep_features_client.version import __version__

__all__ = [
    "Answer",
    "Busy",
    "DeepFeaturesError",
    "NotAllowed",
    "Refused",
    "Row",
    "ServerFailed",
    "TimedOut",
    "Unreachable",
    "__version__",
]
