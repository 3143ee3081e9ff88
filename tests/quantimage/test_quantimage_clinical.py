"""Features as clinical features, where QuantImage-V2 stays as it is: the command, over HTTP."""

import json

import pytest
from clinical_double import TOKEN, ClinicalDouble
from gateway_server import listening

from deep_features_client.quantimage_command import main
from tools.engine.ports import free_ports

FEATURES = """\
PatientID,Modality,ROI,m1_0,m1_1
P1,CT,,0.5,-1.5e-07
P1,CT,"GTV, \"\"N\"\"",0.25,2
P2,CT,,1.25,3
P3,CT,,7,8
""".replace("\n", "\r\n")

AS_NUMBER = ("Number", "Normalization", "Median")


@pytest.fixture
def double():
    """A QuantImage-V2 whose album has no patient P3."""
    return ClinicalDouble(frozenset({"P1", "P2", "P9"}))


@pytest.fixture
def call(double, tmp_path, capsys):
    """Call the command with a file of features; give its exit code and what it says."""
    (port,) = free_ports(1)
    features, token = tmp_path / "features.csv", tmp_path / "token"
    told = {"results": [{"rows": [{"weights": "trained"}]}]}
    (tmp_path / "features.provenance.json").write_text(json.dumps(told))
    token.write_text(f"{TOKEN}\n")

    def command(*more, content=FEATURES, url=f"http://127.0.0.1:{port}"):
        features.write_text(content, newline="")
        stated = ["--quantimage", url, "--album", "37bs6GW5cR", "--features", str(features)]
        code = main(["import", *stated, "--token-file", str(token), *more])
        said = "".join(capsys.readouterr())
        assert not [word for word in ("P1", "P3", "GTV", TOKEN) if word in said]
        return code, said

    with listening(double.app, port):
        yield command


def test_each_region_of_a_modality_is_a_column_a_feature(call, double):
    code, said = call()

    assert (code, said) == (0, "file 1: 4 columns of 3 patients, 2 of them in the album\n")
    assert double.files == {1: "features.csv"}
    assert [kind for _, _, kind in double.definitions] == [AS_NUMBER] * 4
    assert double.values == {
        (1, "CT m1_0", "P1"): "0.5",
        (1, "CT m1_1", "P1"): "-1.5e-07",
        (1, "CT m1_0", "P2"): "1.25",
        (1, "CT m1_1", "P2"): "3",
        (1, 'CT GTV, "N" m1_0', "P1"): "0.25",
        (1, 'CT GTV, "N" m1_1', "P1"): "2",
        (1, 'CT GTV, "N" m1_0', "P2"): None,
        (1, 'CT GTV, "N" m1_1', "P2"): None,
    }


def test_a_second_time_replaces_the_values_of_the_first(call, double):
    call()

    code, said = call(content=FEATURES.replace("1.25", "9.5"))

    assert (code, said.split(":")[0]) == (0, "file 1")
    assert len(double.definitions) == 4
    assert double.values[1, "CT m1_0", "P2"] == "9.5"


def test_what_broke_off_is_completed(call, double):
    double.fails_at = 2
    code, said = call()
    assert (code, said.split(": ")[1]) == (1, "server_failed")

    assert call()[0] == 0
    assert len(double.files) == 1
    assert len({name for _, name, _ in double.definitions}) == len(double.definitions) == 4
    assert len(double.values) == 8


def test_a_dry_run_changes_nothing(call, double):
    code, said = call("--dry-run", "--name", "Deep")

    assert (code, said) == (0, "would be kept in a new file: 4 columns of 3 patients\n")
    assert set(double.asked) == {"GET"}
    assert not double.files


def test_a_file_of_other_columns_stays_as_it_is(call, double):
    call()
    before = dict(double.values)

    code, said = call(content=FEATURES.replace("m1_", "m2_"))

    assert (code, said.split(": ")[1]) == (1, "other_columns")
    assert double.values == before
    assert call("--name", "m2", content=FEATURES.replace("m1_", "m2_"))[0] == 0


def test_an_album_of_other_patients_gets_no_empty_file(call, double):
    double.patients = frozenset({"P9"})

    code, said = call()

    assert (code, said.split(": ")[1]) == (1, "other_patients")
    assert (double.files, double.definitions) == ({}, [])


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        ("", "first line"),
        ("PatientID,Modality,ROI\nP1,CT,\n", "first line"),
        ("PatientID;Modality;ROI;m1_0\nP1;CT;;1\n", "first line"),
        ("PatientID,Modality,ROI,m1_0\n", "no lines"),
        ("PatientID,Modality,ROI,m1_0\nP1,CT,GTV\n", "line 2"),
        ("PatientID,Modality,ROI,m1_0\nP2,CT,,1\n,CT,,1\n", "line 3"),
        ("PatientID,Modality,ROI,m1_0\nP2,CT,,1\nP1,CT,,nan\n", "line 3"),
        ("PatientID,Modality,ROI,m1_0\nP1,CT,,one\n", "line 2"),
        ("PatientID,Modality,ROI,m1_0\nP1,CT,GTV,1\nP1,CT,GTV,2\n", "line 3"),
        ("PatientID,Modality,ROI,m1_0\nP1,CT,,1\nP2,,CT,1\n", "told apart"),
        ("PatientID,Modality,ROI,m1_0\nP1,CT,GTV\u20111,1\n", "separator"),
        ('PatientID,Modality,ROI,m1_0\nP1,CT,"GTV,1\n', "read as CSV"),
    ],
)
def test_a_file_that_is_not_one_number_for_each_is_refused_before_anybody_is_asked(
    call, double, content, fault
):
    code, said = call(content=content)

    assert (code, said.split(": ")[1]) == (1, "bad_features")
    assert fault in said
    assert not double.asked


def test_a_token_that_has_ended_is_named(call, double, tmp_path):
    (tmp_path / "token").write_text("another")

    assert call()[1].split(": ")[1] == "not_allowed"
    assert not double.files


def test_an_address_where_nothing_listens_is_named(call):
    (port,) = free_ports(1)

    assert call(url=f"http://127.0.0.1:{port}")[1].split(": ")[1] == "unreachable"


def test_demonstration_weights_are_asked_for_by_name(call, double, tmp_path):
    told = {"studies": [{"error": "no_images: …"}, {"rows": [{"weights": "demonstration"}]}]}
    (tmp_path / "features.provenance.json").write_text(json.dumps(told))

    assert call()[1].split(": ")[1] == "demonstration_weights"
    assert not double.asked
    assert call("--allow", "demonstration")[0] == 0


def test_weights_that_nothing_tells_of_are_not_believed(call, tmp_path):
    (tmp_path / "features.provenance.json").unlink()

    assert call()[1].split(": ")[1] == "no_provenance"
