"""`deepfeatures verify`: the rows of a study, computed again and compared with a stored result."""

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.console import Console

from imaging.archive import Limits
from imaging.errors import InputError
from imaging.instances import quiet_pydicom
from imaging.study import Study
from tools.engine.settings import EngineError
from tools.engine.sources import store_folder
from tools.extract import DEFAULT_URL, extract, service
from tools.locations import data_folder
from tools.models.store import Store
from tools.studies import StudySource, find_studies
from tools.verification.differences import compare_rows
from tools.verification.stored import Result, ResultError, Row, options_of, read_result
from tools.verification.table import print_comparison, write_json
from tools.verification.weights import weights_advice

DEFAULT_MODEL = "ct3dcnn"

TOLERANCE = 1e-5
"""Relative L2: what features may differ by across machines, by the order of additions."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what `deepfeatures verify` takes."""
    parser.add_argument(
        "result",
        type=Path,
        metavar="RESULT",
        help="a .json of deepfeatures extract, or a .csv with its .provenance.json beside it",
    )
    parser.add_argument(
        "--study", type=Path, required=True, metavar="ZIP|FOLDER", help="to be computed again"
    )
    parser.add_argument("--model", help="default: the one that the result states")
    parser.add_argument(
        "--tolerance",
        type=float,
        default=TOLERANCE,
        metavar="L2",
        help=f"of the features, relative; default: {TOLERANCE:g}",
    )
    parser.add_argument("--json", action="store_true", help="print the comparison as JSON")
    parser.add_argument(
        "--url",
        metavar="HOST:PORT",
        help=f"a running service; default: the one at {DEFAULT_URL}, else one just for this call",
    )


def run(arguments: argparse.Namespace) -> int:
    """Return 0 if all rows are the same, 1 if not, 2 if the call cannot be right.

    What the service refuses now is not the same either.
    """
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    quiet_pydicom()
    try:
        result = read_result(arguments.result)
        study = _study(arguments.study)
        stored = _stored_rows(result, study)
    except (InputError, ResultError, OSError) as error:
        console.print(f"deepfeatures verify: {error}", style="red", markup=False)
        return 2
    model = arguments.model or result.model or DEFAULT_MODEL
    options = options_of(stored) if result.options is None else result.options
    try:
        new = _computed_rows(study, model, options, arguments.url, console=console)
    except EngineError as error:
        console.print(str(error), style="red", markup=False)
        return 1
    if not new:
        return 1
    rows = compare_rows(stored, new, tolerance=arguments.tolerance)
    store = Store(store_folder(), data_folder("model_repository"))
    advice = weights_advice(rows, store, model)
    if arguments.json:
        asked = {"model": model, "options": dict(options)}
        write_json(rows, advice, asked, tolerance=arguments.tolerance)
    else:
        print_comparison(rows, advice, tolerance=arguments.tolerance)
    return 0 if all(row.is_same for row in rows) else 1


def _study(path: Path) -> StudySource:
    if not path.exists():
        raise ResultError(f"no such file or folder: {path}")
    studies = list(find_studies([path]))
    if len(studies) != 1:
        raise ResultError(f"{path} holds {len(studies)} studies: name one")
    return studies[0]


def _stored_rows(result: Result, study: StudySource) -> Sequence[Row]:
    """Return the rows of the study in the result, which must be of the same patient."""
    series = Study.from_zip(memoryview(study.zip_bytes()), Limits()).series
    rows = result.of_studies({each.study_uid for each in series})
    if not {row["patient_id"] for row in rows} <= {each.patient_id for each in series}:
        raise ResultError(
            "the result has rows of this study, but under another PatientID: one of the two was "
            "made pseudonymous after the other"
        )
    return rows


def _computed_rows(
    study: StudySource,
    model: str,
    options: Mapping[str, str],
    url: str | None,
    *,
    console: Console,
) -> Sequence[Row]:
    """Return the rows as they are now; where the service refuses, none, and the reason printed."""
    with service(url, model, console) as at:
        outcome = extract([study], at, console, model=model, parameters=options, previews=None)
    return [row for each in outcome.studies for row in each.get("rows", [])]
