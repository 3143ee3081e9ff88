"""Write synthetic chest CTs into a folder a class: `python -m tools.phantom_chest FOLDER`."""

import argparse
import sys
from concurrent.futures import ProcessPoolExecutor
from itertools import product
from pathlib import Path

from rich.console import Console
from rich.progress import MofNCompleteColumn, Progress

from imaging.cores import usable_cores
from tools.phantom_chest.density import CLASSES
from tools.phantom_chest.study import phantom_study


def main() -> int:
    """Return 0 if all studies were written, 2 if the folder holds something already."""
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    arguments = _parser().parse_args()
    folder: Path = arguments.folder
    if folder.exists() and any(folder.iterdir()):
        console.print(f"{folder} is not empty: name a new folder", style="red", markup=False)
        return 2
    for label in CLASSES:
        (folder / label).mkdir(parents=True)
    seeds = range(arguments.first, arguments.first + arguments.studies)
    jobs = list(product(CLASSES, seeds))
    columns = (*Progress.get_default_columns(), MofNCompleteColumn())
    with (
        ProcessPoolExecutor(usable_cores()) as processes,
        Progress(*columns, console=console) as progress,
    ):
        written = processes.map(_write, [folder] * len(jobs), *zip(*jobs, strict=True))
        for _ in progress.track(written, total=len(jobs), description="studies"):
            pass
    console.print(f"studies written to {folder}: {len(jobs)}", markup=False)
    return 0


def _write(folder: Path, label: str, seed: int) -> None:
    (folder / label / f"{label}-{seed:06}.zip").write_bytes(phantom_study(label, seed))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "python -m tools.phantom_chest",
        description=f"Synthetic chest CTs as DICOM zips, of the classes {' and '.join(CLASSES)}.",
    )
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="gets a folder a class")
    parser.add_argument("--studies", type=int, default=20, help="of each class; default: 20")
    parser.add_argument(
        "--first",
        type=int,
        default=0,
        metavar="SEED",
        help="seed of the first study; the next have the next seeds; default: 0",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
