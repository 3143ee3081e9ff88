"""A gateway before a Kheops or a DICOMweb server, its users, and small studies for tests."""

import secrets
import time
from contextlib import asynccontextmanager, contextmanager

import httpx
from login_world import oidc_settings, running
from phantoms import file_bytes, slices, thorax
from pydicom.uid import generate_uid

from gateway.settings import Bounds
from gateway.uploads.region import Regions

SMALL = thorax(shape=(8, 10, 2))

MARKER = "HUSH^JANE"
"""In names that are in no log."""


def study_files(*modalities, slices_each=2, **attributes):
    """DICOM files of a study with a series for each modality; its UID is new."""
    uid = attributes.pop("StudyInstanceUID", generate_uid())
    common = {"StudyInstanceUID": uid, "PatientID": "P1", "PatientName": MARKER, **attributes}
    files = []
    for number, modality in enumerate(modalities or ("CT",), 1):
        stack = slices(SMALL, Modality=modality, SeriesNumber=number, **common)
        files += [file_bytes(each) for each in stack[:slices_each]]
    return files


def token_of(provider, user, **other):
    """An access token of somebody, as programs send it."""
    now = int(time.time())
    claims = {"iss": provider.issuer, "sub": user, "aud": "gateway", "typ": "Bearer"}
    claims |= {"iat": now, "exp": now + 3600, "jti": secrets.token_hex(8), **other}
    return provider.signed(claims, typ="JWT")


@asynccontextmanager
async def gateway_of(provider, **more):
    """A gateway in this process."""
    async with running(oidc_settings(provider, **more)) as app:
        yield app


@asynccontextmanager
async def program(app, token, **headers):
    """A client with a Bearer token."""
    url = app.state.settings.public_url
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    headers = {"Authorization": f"Bearer {token}", **headers} if token else headers
    async with httpx.AsyncClient(
        base_url=url, transport=transport, headers=headers, timeout=60
    ) as client:
        yield client


BOUNDS = Bounds(
    study_bytes=64 << 20,
    held_bytes=256 << 20,
    at_work=1,
    waiting=1,
    of_one_user=1,
    requests_a_minute=1,
    seconds=1.0,
)


@contextmanager
def a_region(bounds=BOUNDS):
    """An empty region."""
    with Regions(bounds).new() as region:
        yield region


def content_of(region):
    """All that a region holds."""
    return region.read(0, region.size)
