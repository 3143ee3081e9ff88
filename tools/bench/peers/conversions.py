"""A zip to uncompressed NIfTI: with unzip and dcm2niix, and with our own conversion."""

import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from imaging.archive import Limits
from imaging.instances import quiet_pydicom
from imaging.options import Options
from imaging.preprocess import NiftiFiles, nifti_files

MEMORY = Path("/dev/shm")  # noqa: S108  (each use makes a folder of its own there)
"""A file system in memory: the peers' files are not to wait for a disk."""


def dcm2niix(zip_file: str) -> Callable[[], int]:
    """Get ready to unpack and convert; returns the bytes of NIfTI."""
    program = dcm2niix_program()

    def run() -> int:
        with scratch() as folder:
            unpack(zip_file, folder / "dicom")
            files = run_dcm2niix(program, folder / "dicom", folder)
            return sum(file.stat().st_size for file in files)

    return run


def ours_in_memory(zip_file: str) -> Callable[[], int]:
    """Get ready to convert a zip that is in memory to files in memory, as the service does."""
    data = memoryview(Path(zip_file).read_bytes())
    quiet_pydicom()
    return lambda: sum(map(len, _ours(data).files))


def our_files(zip_file: str) -> Callable[[], int]:
    """Get ready to read the zip, convert it and write the files: all that the peer does."""
    quiet_pydicom()

    def run() -> int:
        with scratch() as folder:
            rows = _ours(memoryview(Path(zip_file).read_bytes()))
            for number, file in enumerate(rows.files):
                (folder / f"{number}.nii").write_bytes(file)
            return sum(map(len, rows.files))

    return run


def _ours(data: memoryview) -> NiftiFiles:
    return nifti_files(data, options=Options(compress=False), limits=Limits())


@contextmanager
def scratch() -> Iterator[Path]:
    """Give an empty folder in memory."""
    with TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as folder:
        yield Path(folder)


def dcm2niix_program() -> Path:
    """Return the program that the package dcm2niix brings; raise ModuleNotFoundError without."""
    beside_python = Path(sys.executable).parent / "dcm2niix"
    found = beside_python if beside_python.exists() else shutil.which("dcm2niix")
    if not found:
        raise ModuleNotFoundError(name="dcm2niix")
    return Path(found)


def run_dcm2niix(program: Path, dicom: Path, out: Path) -> list[Path]:
    """Convert a folder without compression; return the files of NIfTI."""
    subprocess.run([program, "-z", "n", "-o", out, dicom], check=True, stdout=subprocess.DEVNULL)
    return sorted(out.glob("*.nii"))


def unpacker() -> str:
    """Return what unpacks: unzip, or Python where that is not installed."""
    return shutil.which("unzip") or "zipfile"


def unpack(zip_file: str, folder: Path) -> None:
    """Unpack a zip into a folder."""
    if unpacker() == "zipfile":
        with zipfile.ZipFile(zip_file) as archive:
            archive.extractall(folder)
    else:
        subprocess.run([unpacker(), "-q", zip_file, "-d", folder], check=True)
