"""What the client does when a service is busy, slow, away, or not what it should be."""

import asyncio
import io
import ssl
import threading
import time
import tracemalloc
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from scripted_server import (
    answers,
    breaks_off,
    hangs_up,
    problem,
    says_nothing,
    scripted,
    trickles,
)

from deep_features_client import (
    AsyncClient,
    Busy,
    Client,
    Refused,
    Retries,
    ServerFailed,
    TimedOut,
    Timeouts,
    TritonClient,
    Unreachable,
)
from deep_features_client.limits import retry_after_s
from tools.engine.ports import free_ports

STUDY = b"PK of a study"

DATE = "Fri, 31 Dec 1999 23:59:59 GMT"
"""The example of RFC 9110 section 10.2.3."""

QUICK = Retries(seconds=5, first_pause_s=0.01)


@pytest.fixture
def stopped():
    """Set when a test is over."""
    event = threading.Event()
    yield event
    event.set()


def extract(url, *, retries=QUICK, timeout=None, study=STUDY, progress=None):
    with Client(url, retries=retries, timeout=timeout) as client:
        return client.extract(study, progress=progress)


async def extract_async(url, **more):
    async with AsyncClient(url, **more) as client:
        return await client.extract(STUDY)


def test_a_busy_service_is_asked_again_when_it_says():
    yours = problem(429, "too_many_of_yours", Retry_After="1")
    full = problem(503, "queue_full", Retry_After=DATE, Date=DATE.replace(":59 ", ":58 "))
    told = []
    with scripted(yours, full, answers(200)) as server:
        begin = time.monotonic()
        answer = extract(server.url, progress=told.append)
        seconds = time.monotonic() - begin

    assert seconds >= 2
    assert answer.rows[0].patient_id == "P1"
    assert [taken for _, _, taken in server.asked] == [len(STUDY)] * 3
    pauses = [(each.code, each.seconds) for each in told if each.phase == "pausing"]
    assert pauses == [("too_many_of_yours", 1.0), ("queue_full", 1.0)]


@pytest.mark.parametrize("first", [hangs_up, breaks_off], ids=["no answer", "half an answer"])
def test_a_lost_connection_is_tried_again_by_both_kinds_of_clients(first):
    with scripted(first, answers(200)) as server:
        assert extract(server.url).rows[0].modality == "CT"
    with scripted(first, answers(200)) as server:
        assert asyncio.run(extract_async(server.url, retries=QUICK)).rows[0].modality == "CT"
        assert len(server.asked) == 2


def test_it_gives_up_at_once_when_the_pause_would_be_longer_than_allowed():
    with scripted(problem(503, "no_room", Retry_After="7")) as server:
        begin = time.monotonic()
        with pytest.raises(Busy, match="^no_room: not now") as busy:
            extract(server.url)

    assert time.monotonic() - begin < 2
    assert (busy.value.status, busy.value.retry_after_s) == (503, 7.0)
    assert len(server.asked) == 1


def test_it_gives_up_when_the_time_for_retries_is_over():
    with scripted(problem(503, "retry")) as server:
        begin = time.monotonic()
        with pytest.raises(Busy):
            extract(server.url, retries=Retries(seconds=0.5, first_pause_s=0.05))

    assert 0.1 < time.monotonic() - begin < 2
    assert 3 <= len(server.asked) <= 12


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, None),
        ({"retry-after": "120"}, 120.0),
        ({"retry-after": DATE, "date": DATE.replace(":59 ", ":29 ")}, 30.0),
        ({"retry-after": DATE}, 0.0),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "-3"}, None),
        ({"retry-after": "1.5"}, None),
    ],
)
def test_retry_after_is_seconds_or_a_date(headers, expected):
    assert retry_after_s(headers) == expected


def test_triton_that_is_interrupted_is_asked_again_and_one_that_failed_is_not():
    stub = {"error": "in ensemble 'ct3dcnn', Stub process 'ct3dcnn__v1' is not healthy."}
    failed = {"error": "in ensemble 'ct3dcnn', internal error"}
    with (
        scripted(answers(500, stub), answers(500, failed)) as server,
        TritonClient(server.url, retries=QUICK) as triton,
        pytest.raises(ServerFailed, match="^service_error: internal error") as raised,
    ):
        triton.extract(STUDY)

    assert raised.value.status == 500
    assert len(server.asked) == 2


def test_nothing_that_listens_is_unreachable_after_the_retries():
    (port,) = free_ports(1)
    with pytest.raises(Unreachable, match="^unreachable: nothing answers"):
        extract(f"127.0.0.1:{port}", retries=Retries(0.1, 0.01))


def test_a_name_that_no_host_has_is_told_at_once():
    with pytest.raises(Refused, match="^unknown_host: "):
        extract("http://no-such-host.invalid")


def test_each_limit_in_time_is_kept(stopped):
    for quiet, limits, words in (
        (says_nothing(stopped), Timeouts(read_s=0.1), "read_s"),
        (says_nothing(stopped), Timeouts(whole_s=0.2), "whole_s"),
        (trickles(stopped), Timeouts(whole_s=0.2), "whole_s"),
    ):
        with scripted(quiet) as server:
            begin = time.monotonic()
            with pytest.raises(TimedOut, match=words):
                extract(server.url, timeout=limits)
            with pytest.raises(TimedOut, match=words):
                asyncio.run(extract_async(server.url, timeout=limits))
            stopped.set()
        stopped.clear()
        assert 0.2 <= time.monotonic() - begin < 5
        assert len(server.asked) == 2


def test_a_certificate_is_trusted_if_the_caller_says_so_and_else_told_of_at_once(tmp_path):
    certificate, tls = own_certificate(tmp_path)
    with scripted(answers(200), tls=tls) as server:
        with pytest.raises(Refused, match="^untrusted_certificate: "):
            extract(server.url)
        trusting = ssl.create_default_context(cafile=certificate)
        with Client(server.url, verify=trusting) as client:
            assert client.extract(STUDY).model == "ct3dcnn"


def own_certificate(folder):
    """A certificate of 127.0.0.1 that nobody vouches for, and what a server needs to show it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "of a hospital")])
    now = datetime.now(UTC)
    address = x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))])
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(address, critical=False)
        .sign(key, hashes.SHA256())
    )
    path = folder / "certificate.pem"
    pem = certificate.public_bytes(Encoding.PEM)
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.write_bytes(pem)
    (folder / "both.pem").write_bytes(pem + secret)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(folder / "both.pem")
    return path, tls


def test_a_large_study_is_not_read_into_memory(tmp_path):
    path = tmp_path / "large.zip"
    with path.open("wb") as file:
        file.truncate(200 << 20)  # a hole: no disk is written
    with scripted(answers(200)) as server:
        tracemalloc.start()
        extract(server.url, study=path)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()

    assert server.asked[0][2] == 200 << 20
    assert peak < 10 << 20


def test_what_cannot_be_a_zip_is_told_before_anything_is_sent(tmp_path):
    with pytest.raises(Refused, match="^empty_folder: "):
        extract("localhost", study=tmp_path)
    with pytest.raises(TypeError, match="rb"):
        extract("localhost", study=io.StringIO("text"))


def test_a_study_that_shrinks_while_it_is_sent_is_told_of(tmp_path):
    path = tmp_path / "study.zip"
    path.write_bytes(bytes(4 << 20))

    def shrink(progress):
        if progress.sent_bytes == 1 << 20:
            path.write_bytes(b"")

    with scripted(answers(200)) as server, pytest.raises(Refused, match="^study_chan"):
        extract(server.url, study=path, progress=shrink)


def test_no_secret_is_in_what_is_raised_or_shown():
    with (
        scripted(hangs_up) as server,
        Client(server.url, "hush-token", retries=Retries(0)) as client,
        pytest.raises(Unreachable) as raised,
    ):
        client.extract(STUDY)

    assert "hush" not in f"{raised.value!r} {client!r} {vars(client)}"
