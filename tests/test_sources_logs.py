"""What is in a search, in an album's name and in a token is in no log."""

import pytest
from kheops.orthanc import PASSWORD, environment
from log_stream import logged
from sources_world import MARKER, gateway_of, program, study_files, token_of

pytestmark = pytest.mark.anyio

ALBUM = "hush-hush album"


@pytest.fixture
def logs():
    """The text of the log, as the gateway's process configures it."""
    with logged() as stream:
        yield stream.getvalue


async def test_names_and_tokens_are_in_no_log(kheops, provider, orthanc, logs):
    token, own = token_of(provider, "ada"), kheops.capability("ada").text
    kheops.world.registered.clear()
    album = kheops.add_album(ALBUM, "ben")
    kheops.share(album, "ada")
    uid = kheops.add_study(album, *study_files())
    places = {"GATEWAY_KHEOPS_URL": kheops.url, **environment(orthanc)}
    paths = [
        f"/api/kheops/albums?search={ALBUM}",
        f"/api/kheops/albums/{album.id}/studies?search={MARKER}",
        f"/api/kheops/albums/{album.id}/studies/{uid}/series",
        f"/api/dicomweb/studies?search={MARKER}",
        f"/api/dicomweb/studies?sort={MARKER}",
    ]
    async with gateway_of(provider, **places) as app:
        for status in (None, 401, 502):
            kheops.fail_with(status)
            for text in (token, own, "Z" * 22):
                async with program(app, text) as client:
                    answers = [await client.get(path) for path in paths]
            assert answers

    assert "/api/kheops/albums/{album}/studies" in logs()
    for hushed in ("hush", MARKER, "HUSH", token, token[-20:], own, "Z" * 22, PASSWORD, "P1"):
        assert hushed not in logs(), hushed
