"""Labelled studies: a folder a class, or a CSV that says which file has which label."""

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tools.studies import StudySource, find_studies
from tools.training.errors import TrainingError

NIFTI = (".nii", ".nii.gz")


@dataclass(frozen=True)
class LabelledStudy:
    """One study with what is known of it.

    source: a DICOM zip, the DICOM files of one study, or one NIfTI file.
    label: name of its class. group: whom it is of, "" if that is not said.
    """

    source: StudySource
    label: str
    group: str = ""

    @property
    def nifti(self) -> Path | None:
        """The NIfTI file, None if the study is DICOM."""
        file = self.source.files[0]
        return file if file.name.lower().endswith(NIFTI) else None


def studies_by_folder(folder: Path) -> list[LabelledStudy]:
    """Return the studies in the folders of `folder`, each labelled with its folder's name.

    Those folders are searched, also below, for zips, DICOM files and NIfTI files.
    """
    found = [
        LabelledStudy(source, inner.name)
        for inner in sorted(path for path in folder.iterdir() if path.is_dir())
        for source in _sources(inner)
    ]
    if not found:
        raise TrainingError(
            f"the folder {folder} has no folders with studies in them: one for each class is "
            "needed, or a table of labels (--labels)"
        )
    return found


def studies_by_table(table: Path, folder: Path) -> list[LabelledStudy]:
    """Return the studies that a CSV names: columns file, label and, if wanted, group.

    file: a zip, a NIfTI file, or a folder of DICOM files of one study, as a path from `folder`.
    """
    with table.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    lacking = {"file", "label"}.difference(rows[0] if rows else ())
    if lacking:
        raise TrainingError(
            f"the table {table} has no {' or '.join(sorted(lacking))}: a first line such as "
            "file,label,group is needed, and a line a study"
        )
    return [_of_row(row, folder, line) for line, row in enumerate(rows, start=2)]


def classes_of(studies: Sequence[LabelledStudy], positive: str) -> tuple[str, str]:
    """Return the names of the negative and the positive class; refuse any other number of them.

    positive: name of the positive class; "" only if the labels are 0 and 1.
    """
    labels = sorted({study.label for study in studies})
    if len(labels) != 2:
        raise TrainingError(
            f"there are {len(labels)} classes ({', '.join(labels)}); two are needed"
        )
    if not positive and labels == ["0", "1"]:
        positive = "1"
    if positive not in labels:
        raise TrainingError(
            f"the classes are {labels[0]} and {labels[1]}: say by --positive which one a score "
            "near 1 shall stand for"
        )
    negative = labels[1] if positive == labels[0] else labels[0]
    return negative, positive


def _sources(path: Path) -> Iterator[StudySource]:
    yield from find_studies([path])
    if path.is_dir():
        for file in sorted(path.rglob("*")):
            if file.is_file() and file.name.lower().endswith(NIFTI):
                yield StudySource(str(file), (file,))


def _of_row(row: Mapping[str, str], folder: Path, line: int) -> LabelledStudy:
    path = folder / row["file"]
    if not path.exists():
        raise TrainingError(f"line {line} of the table names {path}, which does not exist")
    sources = list(_sources(path)) if path.is_dir() else [StudySource(str(path), (path,))]
    if len(sources) != 1:
        raise TrainingError(
            f"line {line} of the table names {path}, which holds {len(sources)} studies; "
            "one is needed"
        )
    if not row["label"]:
        raise TrainingError(f"line {line} of the table has no label")
    return LabelledStudy(sources[0], row["label"], row.get("group") or "")
