"""What a person names on the command line, as studies: zips, folders of zips, DICOM folders."""

import io
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pydicom
from pydicom.errors import InvalidDicomError


@dataclass(frozen=True)
class StudySource:
    """A study that can be read when its turn comes: one zip file, or the DICOM files of one study.

    name: what to call it in messages to the person who named it.
    """

    name: str
    files: tuple[Path, ...]

    def zip_file(self) -> Path | None:
        """Return the file that is the zip, None if the study is DICOM files."""
        return self.files[0] if self.files[0].suffix.lower() == ".zip" else None

    def zip_bytes(self) -> bytes:
        """Return the bytes of the zip; DICOM files are zipped in memory, never on disk."""
        if file := self.zip_file():
            return file.read_bytes()
        content = io.BytesIO()
        with zipfile.ZipFile(content, "w") as archive:
            for number, file in enumerate(self.files):
                archive.write(file, f"{number:06}.dcm")
        return content.getvalue()


def find_studies(paths: Iterable[Path]) -> Iterator[StudySource]:
    """Yield the studies that the paths hold.

    A file is a zip of a study. A folder is searched, also below: each zip in it is a study; DICOM
    files in it are told apart by their StudyInstanceUID, and others are passed over.
    """
    for path in paths:
        if path.is_dir():
            yield from _in_folder(path)
        else:
            yield StudySource(str(path), (path,))


def _in_folder(folder: Path) -> Iterator[StudySource]:
    studies: dict[str, list[Path]] = {}
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        if file.suffix.lower() == ".zip":
            yield StudySource(str(file), (file,))
        elif study_uid := _study_uid(file):
            studies.setdefault(study_uid, []).append(file)
    for study_uid, files in studies.items():
        yield StudySource(f"{folder} (study {study_uid})", tuple(files))


def _study_uid(file: Path) -> str:
    """Return the StudyInstanceUID, empty if the file is not DICOM or of no study."""
    try:
        header = pydicom.dcmread(file, stop_before_pixels=True, specific_tags=["StudyInstanceUID"])
    except (InvalidDicomError, OSError, ValueError):
        return ""
    return str(header.get("StudyInstanceUID", ""))
