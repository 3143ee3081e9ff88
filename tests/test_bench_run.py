"""`deepfeatures bench`, short, on small studies through the real Triton."""

import json
from importlib.util import find_spec

import pytest

from tools import cli
from tools.bench import command
from tools.bench.plan import Plan, Workshop
from tools.bench.scans import ct
from tools.bench.sections import memory

PNG = b"\x89PNG\r\n\x1a\n"

SHORTEST = Plan(
    rounds=2,
    slow_rounds=1,
    growth_rounds=1,
    scans=(ct(8),),
    clients=(1, 2),
    client_seconds=1.5,
    slices=(6, 8, 10),
    regions=(1, 2),
    large_bytes=4_000_000,
    pause_seconds=0,
    small_slices=4,
    studies_in_a_row=3,
    settled_after=2,
)


def bench(monkeypatch, folder, *words):
    monkeypatch.setattr(command, "quick_plan", lambda: SHORTEST)
    arguments = cli.parser().parse_args(["bench", "--quick", "--out", str(folder), *words])
    return arguments.run(arguments)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """What a run without the engines of others has written."""
    folder = tmp_path_factory.mktemp("bench") / "new"
    with pytest.MonkeyPatch.context() as monkeypatch:
        assert bench(monkeypatch, folder, "--only", "e2e,clients,growth,conversion") == 0
    return folder


@pytest.fixture(scope="module")
def results(folder):
    return json.loads((folder / "bench.json").read_text())


def test_the_stages_of_a_request_through_triton_add_up(results):
    for of in ("slices", "rows"):
        for each in results["growth"][of]["sizes"]:
            total = sum(each["stages"].values())
            assert total == pytest.approx(each["timing"]["median_s"], abs=0.001)


def test_each_client_gets_the_answer_that_one_gets(results):
    counts = results["clients"]["counts"]

    assert {number: each["lost"] for number, each in counts.items()} == {"1": 0, "2": 0}
    assert all(each["studies"] >= 2 for each in counts.values())


def test_the_limit_is_of_the_zip_and_the_network(results):
    limit = results["e2e"]["limit"]

    assert limit["inflated_bytes"] > 8 * 512 * 512 * 2
    assert limit["gflop"] == pytest.approx(32.4, abs=0.1)
    assert results["e2e"]["timings"]["limit"]["rounds"] == 2


@pytest.mark.skipif(find_spec("dcm2niix") is None, reason="dcm2niix is not installed")
def test_the_thesis_s_way_ends_with_our_features(results):
    assert results["e2e"]["thesis_differs_by"]["thesis_dcm2niix"] < 1e-4


def test_the_memory_of_all_that_serve_starts_is_seen(tmp_path):
    measured = memory.in_a_row(Workshop(SHORTEST, tmp_path, None, lambda _: None))

    assert len(measured["bytes_after"]) == 3
    assert all(0.3e9 < each < 4e9 for each in measured["bytes_after"])


def test_every_promise_of_the_sections_has_a_verdict(results):
    sections = {target["section"] for target in results["targets"]}

    assert sections >= {"e2e", "clients", "growth"}
    assert all(isinstance(target["met"], bool) for target in results["targets"])


def test_nothing_names_the_machine_or_its_folders(folder):
    text = (folder / "bench.json").read_text() + (folder / "bench.md").read_text()

    assert "/" not in text.replace("studies/s", "").replace("/ processor", "").replace(
        "GFLOP/s", ""
    )


@pytest.mark.skipif(find_spec("matplotlib") is None, reason="matplotlib is not installed")
def test_the_picture_has_a_panel_for_what_was_not_measured(folder):
    assert (folder / "bench.png").read_bytes().startswith(PNG)


def test_a_section_that_is_not_known_is_refused(capsys):
    with pytest.raises(SystemExit):
        cli.parser().parse_args(["bench", "--only", "e2e,speed"])

    assert "speed is none of e2e" in capsys.readouterr().err


def test_a_zip_that_is_not_there_is_refused(monkeypatch, tmp_path, capsys):
    assert bench(monkeypatch, tmp_path, "--zip", str(tmp_path / "absent.zip")) == 2

    assert "no such file" in capsys.readouterr().err
