"""`deepfeatures compare`: our conversion next to another converter's, as a table of all cases."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import MofNCompleteColumn, Progress

from imaging.instances import quiet_pydicom
from imaging.options import Options
from tools.comparison.cases import Case, compare_case
from tools.comparison.table import as_csv, as_json, print_table


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what `deepfeatures compare` takes."""
    parser.add_argument("zips", type=Path, metavar="ZIPS", help="a zip, or a folder of zips")
    parser.add_argument(
        "references",
        type=Path,
        metavar="REFERENCES",
        help="a folder with a folder for each zip, named like it: .nii.gz files, manifest.json",
    )
    parser.add_argument("--csv", type=Path, metavar="FILE", help="also write the table as CSV")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the table as JSON")
    parser.add_argument("--lenient", action="store_true", help="fill more gaps")


def run(arguments: argparse.Namespace) -> int:
    """Return 0 if all is equal or differs on purpose, 1 if not, 2 if the call cannot be right."""
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    zips, problem = _zips_or_problem(arguments)
    if problem:
        console.print(f"deepfeatures compare: {problem}", style="red", markup=False)
        return 2
    quiet_pydicom()
    options = Options(lenient=arguments.lenient)
    cases = compare(zips, arguments.references, console, options=options)
    print_table(cases)
    try:
        for file, written in ((arguments.csv, as_csv), (arguments.json, as_json)):
            if file:
                file.write_text(written(cases), encoding="utf-8", newline="")
                console.print(f"table written to {file}", markup=False)
    except OSError as error:
        console.print(f"the table cannot be written: {error}", style="red", markup=False)
        return 1
    return 0 if len(cases) == len(zips) and all(case.is_fine for case in cases) else 1


def compare(
    zips: Sequence[Path], references: Path, console: Console, *, options: Options
) -> list[Case]:
    """Return a case for each zip; one that is damaged does not stop the next one."""
    cases = []
    columns = (*Progress.get_default_columns(), MofNCompleteColumn())
    with Progress(*columns, console=console, disable=len(zips) < 2) as progress:
        for file in progress.track(zips, description="cases"):
            try:
                cases.append(compare_case(file, references / file.stem, options=options))
            except KeyboardInterrupt:
                console.print("stopped: the cases so far are kept", style="red")
                break
    return cases


def _zips_or_problem(arguments: argparse.Namespace) -> tuple[list[Path], str]:
    if not arguments.references.is_dir():
        return [], f"no such folder: {arguments.references}"
    if not arguments.zips.exists():
        return [], f"no such file or folder: {arguments.zips}"
    if missing := [
        str(file.parent)
        for file in (arguments.csv, arguments.json)
        if file and not file.parent.is_dir()
    ]:
        return [], f"the folder {', '.join(missing)} does not exist"
    if arguments.zips.is_file():
        return [arguments.zips], ""
    zips = sorted(path for path in arguments.zips.iterdir() if path.suffix.lower() == ".zip")
    return zips, "" if zips else f"the folder {arguments.zips} holds no zips"
