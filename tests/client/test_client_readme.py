"""The examples of the client's README run as they stand, one after another."""

import re

import pytest
from phantoms import file_bytes
from sources_world import study_files
from test_region_rows import TUMOUR, study_with

from tools.locations import CHECKOUT

README = CHECKOUT / "integrations" / "client" / "README.md"


@pytest.fixture
def surroundings(gateway, kheops, study, files, tmp_path, monkeypatch):
    """What the examples name: files in the working folder, and variables of the environment."""
    (tmp_path / "study.zip").write_bytes(study)
    (tmp_path / "regions.zip").write_bytes(study_with(TUMOUR))
    (tmp_path / "broken.zip").write_bytes(study[:1000])
    (tmp_path / "folder").mkdir()
    for number, file in enumerate(files):
        (tmp_path / "folder" / str(number)).write_bytes(file_bytes(file))
    album = kheops.add_album("Lungs", "ada")
    stated = {
        "DEEP_FEATURES_URL": gateway.url,
        "DEEP_FEATURES_TOKEN": gateway.token,
        "ALBUM": album.id,
        "STUDY_UID": kheops.add_study(album, *study_files()),
        "KHEOPS_TOKEN": kheops.capability("ada", album).text,
    }
    for name, value in stated.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_examples_of_the_readme_run(surroundings, server, capsys):
    text = README.read_text(encoding="utf-8").replace("localhost:8000", server.http_url)
    names = {}
    for example in re.findall(r"^```python\n(.*?)^```$", text, re.DOTALL | re.MULTILINE):
        exec(compile(example, README.name, "exec"), names)  # noqa: S102

    said = capsys.readouterr().out
    assert "MÜLLER^7 CT whole volume (" in said
    assert "broken.zip gave no rows: zip_truncated: " in said
    assert "zip_truncated - " in said
    assert "waiting" in said
    assert len((surroundings / "features.csv").read_text().splitlines()) == 3
    assert (surroundings / "seen.png").read_bytes().startswith(b"\x89PNG")
    assert set(names["long"]["VOI"]) == {"GTV ä"}
    assert len(names["rows"]) == 256
    assert list(names["long"].columns) == [
        "patient_id",
        "modality",
        "VOI",
        "feature_name",
        "feature_value",
    ]
