"""What comes back with a success, and is no answer of the service."""

import json

import pytest
from scripted_server import ANSWER, answers, scripted

from deep_features_client import Client, ServerFailed, TritonClient

STUDY = b"PK of a study"


@pytest.mark.parametrize(
    "reply",
    [
        answers(502, b"<html>Bad gateway</html>"),
        answers(200, b"<html>Welcome</html>"),
        answers(200, {**ANSWER, "feature_names": ["one"]}),
        answers(200, {**ANSWER, "previews": []}),
        answers(200, {"rows": []}),
        answers(200, ANSWER, Content_Encoding="gzip"),
        answers(307, b"", Location="/elsewhere"),
        answers(404, b"nothing here"),
    ],
    ids=["502", "page", "names", "previews", "fields", "encoding", "redirect", "404"],
)
def test_what_is_no_answer_of_the_service_is_called_so(reply):
    with (
        scripted(reply) as server,
        Client(server.url) as client,
        pytest.raises(ServerFailed, match="^bad_answer: "),
    ):
        client.extract(STUDY)


def tensors(*outputs, data=b"", cut=0):
    head = [
        {"name": n, "datatype": t, "shape": [s], "parameters": {"binary_data_size": size}}
        for n, t, s, size in outputs
    ]
    text = json.dumps({"outputs": head}).encode()
    body = text + data
    length = str(len(text))
    return answers(200, body[: len(body) - cut], Inference_Header_Content_Length=length)


BYTES_A = b"\x02\x00\x00\x00{}"  # 4 bytes of length, little endian, before each element


@pytest.mark.parametrize(
    "reply",
    [
        answers(200, ANSWER),
        tensors(("ROWS", "BYTES", 1, 6), data=BYTES_A, cut=1),
        tensors(("ROWS", "BYTES", 1, 6), data=b"\x09\x00\x00\x00{}"),
        tensors(("ROWS", "FP64", 1, 8), data=bytes(8)),
        tensors(("ROWS", "BYTES", 1, 6), ("REPORT", "BYTES", 1, 6), data=BYTES_A * 2),
    ],
    ids=["no header", "cut", "length", "type", "no features"],
)
def test_what_is_no_answer_of_triton_is_called_so(reply):
    with (
        scripted(reply) as server,
        TritonClient(server.url) as triton,
        pytest.raises(ServerFailed, match="^bad_answer: "),
    ):
        triton.extract(STUDY)
