"""A study's question to a model, in Triton's words: a JSON header, and the zip or the name of one.

KServe's predict protocol, v2, with Triton's extension of binary tensors.
"""

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx

from gateway.uploads.region import Region
from imaging.shared_study import PARAMETER

HEADER_LENGTH = "Inference-Header-Content-Length"

Parameters = Mapping[str, str | bool]


@dataclass(frozen=True)
class Question:
    """What a model is asked, but for the study.

    parameters: options of the request, and `binary_data_output`. headers: options as `x-df-…`.
    outputs: those that are wanted, as the protocol writes it; none: all. id: is in the answer, too.
    """

    model: str
    version: str = ""
    parameters: Parameters = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    outputs: Sequence[Mapping[str, Any]] = ()
    id: str = ""

    def by_name(self, http: httpx.AsyncClient, region: str) -> httpx.Request:
        """Return the request that hands over a region of shared memory by its name."""
        head = self._head(0, {PARAMETER: region})
        return self._request(http, head, head, length=len(head))

    def by_http(self, http: httpx.AsyncClient, region: Region) -> httpx.Request:
        """Return the request that carries the study: with its length, never in chunks."""
        head = self._head(region.size, {})
        return self._request(http, head, _body(head, region), length=len(head) + region.size)

    def _request(
        self, http: httpx.AsyncClient, head: bytes, content: Any, *, length: int
    ) -> httpx.Request:
        version = f"/versions/{self.version}" if self.version else ""
        headers = {
            **self.headers,
            "Content-Type": "application/octet-stream",
            "Content-Length": str(length),
            HEADER_LENGTH: str(len(head)),
        }
        path = f"/v2/models/{self.model}{version}/infer"
        return http.build_request("POST", path, content=content, headers=headers)

    def with_bytes(self, http: httpx.AsyncClient, study: bytes) -> httpx.Request:
        """Return the request that carries a small study."""
        head = self._head(len(study), {})
        return self._request(http, head, head + study, length=len(head) + len(study))

    def _head(self, size_bytes: int, more: Parameters) -> bytes:
        tensor = {
            "name": "DICOM_ZIP",
            "datatype": "UINT8",
            "shape": [size_bytes],
            "parameters": {"binary_data_size": size_bytes},
        }
        head: dict[str, Any] = {"inputs": [tensor], "parameters": {**self.parameters, **more}}
        if self.outputs:
            head["outputs"] = list(self.outputs)
        if self.id:
            head["id"] = self.id
        return json.dumps(head).encode()


async def _body(head: bytes, region: Region) -> AsyncIterator[bytes]:
    yield head
    async for chunk in region.chunks():
        yield chunk
