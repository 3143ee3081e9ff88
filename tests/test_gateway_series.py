"""Series of a study through the gateway: listed with pictures by the real Triton, chosen by UID."""

import base64
import io

import httpx
import pytest
from gateway_server import serving, settings_of, studies_left, wait_until
from phantoms import zip_of
from PIL import Image
from test_choice import drawn_on, series

ZIP = {"Content-Type": "application/zip"}


@pytest.fixture(scope="module")
def gateway(server):
    """The URL of a gateway to the Triton of the tests."""
    with serving(settings_of(server.http_url)) as (url, _):
        yield url


@pytest.fixture(scope="module")
def tie():
    """A study of two series that no criterion ranks."""
    return zip_of(*series("1.2.1", ConvolutionKernel="B30f"), *series("1.2.2"))


@pytest.fixture(autouse=True)
def _nothing_is_left():
    yield
    wait_until(lambda: not studies_left(), 10)


def listed(gateway, content, **query):
    url = f"{gateway}/api/series"
    return httpx.post(url, content=content, headers=ZIP, params=query, timeout=60)


def test_a_tie_is_told_with_what_tells_its_series_apart(gateway, tie):
    answer = listed(gateway, tie, model="ct3dcnn")

    assert answer.status_code == 200
    first, second = answer.json()["series"]
    assert [first["standing"], second["standing"]] == ["tied", "tied"]
    assert first["series_uid"] == "1.2.1"
    assert first["acquisition"]["ConvolutionKernel"] == "B30f"
    assert first["shape"] == [10, 12, 6]
    picture = Image.open(io.BytesIO(base64.b64decode(first["thumbnail"])))
    assert max(picture.size) == 96


def test_a_series_of_the_list_is_extracted_by_its_uid(gateway, tie):
    path = f"{gateway}/api/models/ct3dcnn/features"
    refused = httpx.post(path, content=tie, headers=ZIP, timeout=60)
    assert refused.json()["code"] == "ambiguous_series"

    uid = listed(gateway, tie).json()["series"][1]["series_uid"]
    answer = httpx.post(path, content=tie, headers=ZIP, params={"series": uid}, timeout=60)

    (row,) = answer.json()["rows"]
    assert (row["series_uid"], row["series_chosen_by"]) == (uid, "asked")


def test_the_region_that_is_asked_for_decides(gateway):
    first, second = series("1.2.1"), series("1.2.2")
    study = zip_of(*first, *second, drawn_on(first, "lung"), drawn_on(second, "GTV"))

    found = listed(gateway, study, roi="GTV").json()["series"]

    assert [(each["standing"], each["decided_by"]) for each in found] == [
        ("other", "regions"),
        ("chosen", "regions"),
    ]


def test_all_planes_come_by_the_option_preview(gateway):
    image = series("1.2.1")
    study = zip_of(*image, drawn_on(image))

    answer = httpx.post(
        f"{gateway}/api/models/ct3dcnn/features",
        content=study,
        headers=ZIP,
        params={"preview": "stack", "regions": "whole"},
        timeout=60,
    ).json()

    (row,), (preview,) = answer["rows"], answer["previews"]
    assert row["picture"]["shape"] == [128, 128, 64]
    assert row["picture"]["regions"] == ["GTV"]
    picture = Image.open(io.BytesIO(base64.b64decode(preview)))
    assert picture.size == (8 * 128, 2 * 8 * 128)  # a sheet of planes, a sheet of a region


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ({"model": "hush"}, 404, "unknown_model"),
        ({"hush": "1"}, 400, "unknown_option"),
        ({"lenient": "hush"}, 422, "bad_option"),
    ],
)
def test_what_is_not_known_is_refused_before_the_study_is_sent(gateway, query, status, code):
    answer = listed(gateway, b"", **query)

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert "hush" not in answer.text


def test_the_engines_refusals_keep_their_codes(gateway):
    answer = listed(gateway, b"no zip")

    assert (answer.status_code, answer.json()["code"]) == (422, "not_a_zip")
