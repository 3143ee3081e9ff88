"""Deep features of DICOM studies, from a gateway or a Triton of triton-deep-features."""

from deep_features_client.answers import Answer, Row
from deep_features_client.asynchronous import AsyncClient, AsyncTritonClient
from deep_features_client.blocking import Client, TritonClient
from deep_features_client.errors import (
    Busy,
    DeepFeaturesError,
    NotAllowed,
    Refused,
    ServerFailed,
    TimedOut,
    Unreachable,
)
from deep_features_client.gateway import Model
from deep_features_client.limits import Retries, Timeouts
from deep_features_client.progress import Progress
from deep_features_client.quantimage import LongRowsError
from deep_features_client.studies import StudyLike
from deep_features_client.tables import MixedVersionsError, wide_table
from deep_features_client.version import __version__

__all__ = [
    "Answer",
    "AsyncClient",
    "AsyncTritonClient",
    "Busy",
    "Client",
    "DeepFeaturesError",
    "LongRowsError",
    "MixedVersionsError",
    "Model",
    "NotAllowed",
    "Progress",
    "Refused",
    "Retries",
    "Row",
    "ServerFailed",
    "StudyLike",
    "TimedOut",
    "Timeouts",
    "TritonClient",
    "Unreachable",
    "__version__",
    "wide_table",
]
