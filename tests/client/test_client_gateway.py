"""The client before a real gateway: what is sent, what comes back, what is refused."""

import asyncio
import io

import numpy as np
import pytest
from phantoms import file_bytes, zip_of

from deep_features_client import (
    Answer,
    AsyncClient,
    Client,
    NotAllowed,
    Progress,
    Refused,
    Retries,
    TritonClient,
)


@pytest.fixture(scope="module")
def client(gateway):
    with Client(gateway.url, gateway.token) as client:
        yield client


class Pipe(io.RawIOBase):
    """A stream that cannot go back, as one of a download."""

    def __init__(self, content):
        self._content = io.BytesIO(content)

    def readable(self):
        return True

    def readinto(self, buffer):
        return self._content.readinto(buffer)


def as_path(study, folder):
    path = folder / "study.zip"
    path.write_bytes(study)
    return path


def behind_other_bytes(study, _):
    file = io.BytesIO(b"12345" + study)
    file.seek(5)
    return file


WAYS = {
    "path": as_path,
    "text": lambda study, folder: str(as_path(study, folder)),
    "bytes": lambda study, _: study,
    "view": lambda study, _: memoryview(study),
    "file": behind_other_bytes,
    "pipe": lambda study, _: Pipe(study),
}


def assert_same(answer, direct):
    """An answer is what NVIDIA's client got, bit by bit."""
    labels = [{**row.labels} for row in answer.rows]
    assert labels == direct.rows
    features = np.array([row.features for row in answer.rows], np.float32)
    np.testing.assert_array_equal(features, direct.features)
    assert answer.report["series"] == direct.report["series"]


@pytest.mark.parametrize("way", WAYS)
def test_a_zip_goes_in_any_shape_and_gives_what_triton_gives(client, study, direct, way, tmp_path):
    answer = client.extract(WAYS[way](study, tmp_path))

    assert_same(answer, direct)
    (row,) = answer.rows
    assert (answer.model, row.patient_id, row.modality, row.roi) == (
        "ct3dcnn",
        "MÜLLER^7",
        "CT",
        "",
    )
    assert row.feature_names[:2] + row.feature_names[-1:] == (
        "ct3dcnn1_000",
        "ct3dcnn1_001",
        "ct3dcnn1_255",
    )
    assert row.preview == b""


def test_a_folder_goes_as_a_zip_without_its_names(client, files, direct, tmp_path, monkeypatch):
    inner = tmp_path / "Doe^Jane" / "CT"
    inner.mkdir(parents=True)
    for number, file in enumerate(files):
        (inner / f"{number}.dcm").write_bytes(file_bytes(file))
    sent = []
    monkeypatch.setattr("deep_features_client.calls.Effort.chunks", recorded(sent))

    assert_same(client.extract(tmp_path), direct)
    assert b"Doe" not in b"".join(sent)


def recorded(sent):
    def chunks(_, content):
        for chunk in content.chunks():
            sent.append(chunk)
            yield chunk

    return chunks


def test_the_same_comes_from_triton_itself_and_through_the_gateway(server, gateway, study, direct):
    with TritonClient(server.http_url) as triton:
        assert_same(triton.extract(study), direct)
    with TritonClient(gateway.url, gateway.token) as triton:
        assert_same(triton.extract(study), direct)


def test_pictures_come_if_they_are_asked_for(client, server, study):
    with TritonClient(server.http_url) as triton:
        for each in (client, triton):
            (row,) = each.extract(study, options={"preview": "true"}).rows
            assert row.preview.startswith(b"\x89PNG")


def test_a_table_has_labels_and_features_as_float32(client, study, direct):
    answer = client.extract(study)

    table = answer.to_dataframe()
    named = answer.to_dataframe(["patient_id", "roi"])

    assert set(table.columns) == {*direct.rows[0], *answer.rows[0].feature_names}
    features = table[list(answer.rows[0].feature_names)]
    assert set(features.dtypes) == {np.dtype("float32")}
    np.testing.assert_array_equal(features.to_numpy(), direct.features)
    assert list(named.columns[:3]) == ["patient_id", "roi", "ct3dcnn1_000"]
    assert named.shape == (1, 258)


def test_the_models_are_told(client):
    (model,) = [each for each in client.models() if each.name == "ct3dcnn"]

    assert (model.features, model.prefix, model.trained_modalities) == (256, "ct3dcnn1", ("CT",))


def test_progress_counts_all_bytes_and_then_waits(client, study):
    told = []

    client.extract(study, progress=told.append)

    total = len(study)
    assert told[0] == Progress("sending", 0, total)
    assert told[-2:] == [Progress("sending", total, total), Progress("waiting", total, total)]
    assert sorted(each.sent_bytes for each in told) == [each.sent_bytes for each in told]


REFUSALS = {
    "no zip": (b"hello", {}, ("not_a_zip", 422)),
    "no image": (zip_of(b"hello"), {}, ("no_dicom", 422)),
    "option": (b"hello", {"options": {"colour": "red"}}, ("unknown_option", 400)),
    "model": (b"hello", {"model": "resnet"}, ("unknown_model", 404)),
    "size": (bytes(9 << 20), {}, ("too_large", 413)),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_what_is_refused_has_the_services_code_and_sentence(client, case):
    study, more, expected = REFUSALS[case]

    with pytest.raises(Refused) as refused:
        client.extract(study, **more)

    assert (refused.value.code, refused.value.status) == expected
    assert str(refused.value) == f"{refused.value.code}: {refused.value.sentence}"
    assert len(refused.value.sentence) > 10


def test_triton_refuses_with_the_same_codes(server):
    with TritonClient(server.http_url, retries=Retries(0)) as triton:
        with pytest.raises(Refused, match="^not_a_zip: the 5 bytes"):
            triton.extract(b"hello")
        with pytest.raises(Refused, match="^bad_option: "):
            triton.extract(b"hello", options={"colour": "ré d"})
        with pytest.raises(Refused, match="unknown_model"):
            triton.extract(b"hello", "resnet")


def test_without_a_token_nothing_is_done(gateway, study):
    for token in (None, "another"):
        with Client(gateway.url, token) as client, pytest.raises(NotAllowed) as refused:
            client.extract(study)
        assert refused.value.status == 401


def test_a_token_that_cannot_be_one_is_not_allowed_or_not_sent(gateway):
    for token in ("café", "…"):
        with Client(gateway.url, token) as client, pytest.raises(NotAllowed):
            client.models()
    unsendable = pytest.raises(Refused, match="^bad_request: it cannot be sent")
    with Client(gateway.url, "two\nlines") as client, unsendable:
        client.models()


def test_the_token_of_now_is_asked_for_and_line_ends_do_not_matter(gateway, study):
    tokens = [f"{gateway.token}\n", f" {gateway.token} "]
    with Client(gateway.url, tokens.pop) as client:
        client.extract(study)
        client.extract(study)

    assert tokens == []


def test_the_address_that_make_run_prints_will_do(gateway, study, direct):
    with Client(f"{gateway.url}/?token={gateway.token}") as client:
        assert_same(client.extract(study), direct)
        assert gateway.token not in repr(vars(client))


def test_several_studies_are_sent_at_once_and_one_bad_one_stops_no_other(client, study, tmp_path):
    paths = [tmp_path / f"{number}.zip" for number in range(5)]
    for path in paths[:3]:
        path.write_bytes(study)
    paths[3].write_bytes(b"hello")

    found = dict(client.extract_many(iter(paths), at_once=3))

    assert set(found) == set(paths)
    assert all(isinstance(found[path], Answer) for path in paths[:3])
    assert isinstance(found[paths[3]], Refused)
    assert isinstance(found[paths[4]], FileNotFoundError)


def test_asyncio_gets_the_same(gateway, study, direct, tmp_path):
    async def asked():
        path = as_path(study, tmp_path)
        async with AsyncClient(gateway.url, gateway.token) as client:
            assert (await client.models())[0].name == "ct3dcnn"
            assert_same(await client.extract(path), direct)
            with pytest.raises(Refused, match="^not_a_zip: "):
                await client.extract(b"hello")
            return {each: answer async for each, answer in client.extract_many([path, "absent"])}

    found = asyncio.run(asked())

    assert_same(found[tmp_path / "study.zip"], direct)
    assert isinstance(found["absent"], FileNotFoundError)
