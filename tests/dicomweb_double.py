"""A DICOMweb server for jobs: it has small studies, and counts how often each was had."""

import io
import zipfile
from collections import Counter
from dataclasses import dataclass, field

from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

from tools.phantom import phantom_zip

BOUNDARY = "the-boundary"


@dataclass
class DicomwebDouble:
    """studies: bodies of answers, by UID. retrieved: how often each was had."""

    studies: dict = field(default_factory=dict)
    retrieved: Counter = field(default_factory=Counter)

    @classmethod
    def with_studies(cls, uids):
        return cls({uid: multipart(phantom_zip()) for uid in uids})

    def app(self):
        return Starlette(routes=[Route("/studies/{uid}", self._study)])

    async def _study(self, request):
        uid = request.path_params["uid"]
        self.retrieved[uid] += 1
        kind = f'multipart/related; type="application/dicom"; boundary={BOUNDARY}'
        return Response(self.studies[uid], headers={"Content-Type": kind})


def multipart(study):
    """The instances in a zip as one body: PS3.18 section 8.6.1.2."""
    body = b""
    with zipfile.ZipFile(io.BytesIO(study)) as archive:
        for name in archive.namelist():
            head = f"--{BOUNDARY}\r\nContent-Type: application/dicom\r\n\r\n".encode()
            body += head + archive.read(name) + b"\r\n"
    return body + f"--{BOUNDARY}--\r\n".encode()
