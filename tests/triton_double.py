"""A Triton that does what a test says: answers late, dies over a study, or says what it likes.

It speaks as much of the protocol as the gateway uses, and is of no account of this machine.
"""

import asyncio
import json
import struct
from contextlib import ExitStack
from dataclasses import dataclass, field

from gateway_server import listening

from tools.engine.ports import free_ports

MODEL = {
    "name": "ct3dcnn",
    "outputs": [
        {"name": "FEATURES", "datatype": "FP32", "shape": [-1, 2]},
        {"name": "ROWS", "datatype": "BYTES", "shape": [-1]},
    ],
}

LARGER_THAN_A_CANARY = 50_000

LABEL = {
    "patient_id": "P",
    "study_uid": "1.2",
    "modality": "CT",
    "roi": "",
    "feature_prefix": "t1",
    "weights": "trained",
    "weights_sha256": "0",
    "preprocessing_id": "0",
}


@dataclass
class TritonDouble:
    """What it does, and what it saw.

    reads: while it is set to an event, bodies of studies are not read. begun: how many began.
    held: while it is set to an event, studies wait for it. errors: texts that the next studies get;
    None closes the connection instead. studies, headers: what came, without canaries.
    """

    reads: asyncio.Event | None = None
    begun: int = 0
    held: asyncio.Event | None = None
    errors: list = field(default_factory=list)
    studies: list = field(default_factory=list)
    headers: list = field(default_factory=list)
    answers_canaries: bool = True
    canary_error: str = ""
    answer_bytes: int = 0
    url: str = ""

    async def __call__(self, scope, receive, send):
        if scope["type"] != "http":
            return await _lifespan(receive, send)
        if not scope["path"].endswith("/infer"):
            found = scope["path"] == "/v2/models/ct3dcnn"
            return await _answer(send, 200 if found else 404, json.dumps(MODEL).encode())
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        if int(headers["content-length"]) > LARGER_THAN_A_CANARY:
            self.begun += 1
            await _wait(self.reads)
        body = await _body(receive)
        length = int(headers["inference-header-content-length"])
        head, study = json.loads(body[:length]), body[length:]
        if "binary_data_output" not in head["parameters"]:
            return await self._answer_canary(send)
        self.studies.append(study)
        self.headers.append(headers)
        return await self._answer_study(send, study)

    async def _answer_canary(self, send):
        while not self.answers_canaries:
            await asyncio.sleep(0.05)
        if self.canary_error:
            return await _answer(send, 400, json.dumps({"error": self.canary_error}).encode())
        outputs = [{"name": "ROWS", "data": [json.dumps(LABEL)]}]
        return await _answer(send, 200, json.dumps({"outputs": outputs}).encode())

    async def _answer_study(self, send, study):
        await _wait(self.held)
        if self.errors:
            error = self.errors.pop(0)
            if error is None:
                send.__self__.transport.abort()  # of uvicorn: as if the process were gone
                return None
            return await _answer(send, 400, json.dumps({"error": error}).encode())
        content, length = answer_to(study, self.answer_bytes)
        return await _answer(send, 200, content, length)


def answer_to(study, more_bytes=0):
    """The answer in binary, and the length of its JSON: the study's first bytes are the patient."""
    label = LABEL | {"patient_id": study[2:12].decode(errors="replace")}
    report = _strings(json.dumps({"series": [], "padding": "x" * more_bytes}))
    tensors = {
        "FEATURES": ("FP32", [1, 2], struct.pack("<2f", 0.5, 1.25)),
        "ROWS": ("BYTES", [1], _strings(json.dumps(label))),
        "REPORT": ("BYTES", [1], report),
        "PREVIEW": ("BYTES", [1], _strings("")),
    }
    outputs = [
        {"name": n, "datatype": t, "shape": s, "parameters": {"binary_data_size": len(content)}}
        for n, (t, s, content) in tensors.items()
    ]
    head = json.dumps({"model_name": "ct3dcnn", "outputs": outputs}).encode()
    return head + b"".join(content for _, _, content in tensors.values()), len(head)


def doubles(count):
    """Give so many doubles that listen."""
    stack = ExitStack()
    found = []
    for port in free_ports(count):
        double = TritonDouble(url=f"127.0.0.1:{port}")
        stack.enter_context(listening(double, port))
        found.append(double)
    return stack, found


def _strings(text):
    return struct.pack("<I", len(text.encode())) + text.encode()


async def _wait(event):
    while event is not None and not event.is_set():
        await asyncio.sleep(0.01)  # a test sets it from another thread


async def _body(receive):
    chunks, more = [], True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ConnectionError
        chunks.append(message["body"])
        more = message["more_body"]
    return b"".join(chunks)


async def _answer(send, status, content, head_bytes=None):
    headers = [(b"content-length", str(len(content)).encode())]
    if head_bytes is not None:
        headers.append((b"inference-header-content-length", str(head_bytes).encode()))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": content})


async def _lifespan(receive, send):
    await receive()
    await send({"type": "lifespan.startup.complete"})
    await receive()
    await send({"type": "lifespan.shutdown.complete"})
