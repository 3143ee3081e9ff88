"""The R example, by a real R, against the real service."""

import csv
import os
import shutil
import subprocess
from collections import namedtuple

import numpy as np
import pytest
from scripted_server import answers, problem, scripted

from tools.locations import CHECKOUT

SCRIPT = CHECKOUT / "integrations" / "client" / "r" / "deep_features.R"

Place = namedtuple("Place", "url token")

NEEDED = 'for (name in c("httr2", "jsonlite")) library(name, character.only = TRUE)'


@pytest.fixture(scope="module")
def rscript():
    program = shutil.which("Rscript")
    if program is None or subprocess.run([program, "-e", NEEDED], capture_output=True).returncode:
        pytest.skip("there is no R with httr2 and jsonlite: apt-get install r-cran-httr2")
    return program


def run(rscript, gateway, *arguments, token=None):
    environment = {
        **os.environ,
        "DEEP_FEATURES_URL": gateway.url,
        "DEEP_FEATURES_TOKEN": token or gateway.token,
    }
    command = [rscript, SCRIPT, *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)


def test_rows_of_zips_are_a_table_and_a_bad_zip_is_told_of_by_its_code(
    rscript, gateway, study, direct, tmp_path
):
    (tmp_path / "study.zip").write_bytes(study)
    (tmp_path / "broken.zip").write_bytes(b"hello")
    table = tmp_path / "features.csv"

    zips = [tmp_path / name for name in ("study.zip", "broken.zip", "absent.zip")]
    ended = run(rscript, gateway, table, *zips)

    assert ended.returncode == 1
    assert "absent.zip: no_file: " in ended.stderr
    assert "not_a_zip: the 5 bytes" in ended.stderr
    with table.open(newline="", encoding="utf-8") as lines:
        (row,) = csv.DictReader(lines)
    assert (row["patient_id"], row["modality"], row["roi"]) == ("MÜLLER^7", "CT", "")
    found = np.array([row[f"ct3dcnn1_{index:03}"] for index in range(256)], np.float32)
    np.testing.assert_array_equal(found, direct.features[0])


def test_a_busy_service_is_asked_again(rscript, tmp_path):
    (tmp_path / "study.zip").write_bytes(b"PK of a study")
    with scripted(problem(503, "busy", Retry_After="1"), answers(200)) as server:
        place = Place(server.url, "token")

        ended = run(rscript, place, tmp_path / "x.csv", tmp_path / "study.zip")

    assert ended.returncode == 0, ended.stderr
    assert len(server.asked) == 2
    assert '"P1"' in (tmp_path / "x.csv").read_text()


def test_a_wrong_token_is_told_of(rscript, gateway, study, tmp_path):
    (tmp_path / "study.zip").write_bytes(study)

    ended = run(
        rscript, gateway, tmp_path / "x.csv", tmp_path / "study.zip", token=gateway.token[1:]
    )

    assert ended.returncode == 1
    assert "invalid_token: " in ended.stderr
