"""Files and folders become studies."""

import io
import zipfile

from phantoms import file_bytes, slices, thorax, zip_of

from tools.studies import find_studies

SMALL = thorax(shape=(10, 12, 3))


def test_a_folder_of_zips_is_a_study_each(tmp_path):
    for name in ("b.zip", "below/a.ZIP"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(zip_of(b""))

    found = list(find_studies([tmp_path]))

    assert [study.files[0].name for study in found] == ["b.zip", "a.ZIP"]
    assert found[0].zip_bytes() == (tmp_path / "b.zip").read_bytes()


def test_dicom_files_are_told_apart_by_their_study(tmp_path):
    for study in ("1.2.1", "1.2.2"):
        for k, each in enumerate(slices(SMALL, StudyInstanceUID=study)):
            (tmp_path / f"{k}-{study}").write_bytes(file_bytes(each))
    (tmp_path / "notes.txt").write_text("not DICOM")

    first, second = find_studies([tmp_path])

    assert "1.2.1" in first.name
    assert {file.name[2:] for file in second.files} == {"1.2.2"}
    with zipfile.ZipFile(io.BytesIO(first.zip_bytes())) as made:
        assert len(made.namelist()) == 3
