"""`deepfeatures extract`: studies in; rows as a table, CSV or JSON out."""

import argparse
import base64
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from gateway.results.export import MEDIA_TYPES
from gateway.results.table import MixedVersionsError
from imaging.options import REGION_MODES
from tools.client import Features, ServiceError, features_of, infer, is_live, is_serving
from tools.engine.ports import free_ports
from tools.engine.run import running
from tools.engine.settings import EngineError, EngineSettings
from tools.outcome import Outcome, write_files
from tools.shared_study import local_access, send_shared
from tools.studies import StudySource, find_studies

DEFAULT_URL = "127.0.0.1:8000"
OPTIONS = ("allow", "lenient", "pt_unit", "regions", "roi", "series")
FORMS = {f".{form}": form for form in MEDIA_TYPES}

PAUSES_SECONDS = (1, 5, 15)
"""A model comes back within 6 s, Triton within 10 s."""

PATIENCE = MappingProxyType(
    {"retry": PAUSES_SECONDS, "unreachable": PAUSES_SECONDS, "busy": (1, 2) + (5,) * 120}
)
"""Pauses before a study is sent again; a full queue may hold ten minutes of work."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what `deepfeatures extract` takes."""
    parser.add_argument("paths", nargs="+", type=Path, metavar="ZIP|FOLDER")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--csv", dest="form", action="store_const", const="csv", help="print CSV")
    form.add_argument(
        "--json",
        dest="form",
        action="store_const",
        const="json",
        help="print JSON, with every label of the rows and the report of each study",
    )
    parser.add_argument(
        "--out",
        type=Path,
        metavar="FILE",
        help="write to FILE and say so: .csv, .json, .xlsx, .zip or .parquet",
    )
    parser.add_argument(
        "--previews", type=Path, metavar="FOLDER", help="write what the network saw there, as PNG"
    )
    add_request(parser)


def add_request(parser: argparse.ArgumentParser) -> None:
    """Add which model is asked, with what options, and of which service."""
    parser.add_argument("--model", default="ct3dcnn", help="default: ct3dcnn")
    parser.add_argument(
        "--series",
        metavar="UIDS",
        help="SeriesInstanceUIDs, by commas, or all; default: one a modality by the model's rule",
    )
    parser.add_argument("--regions", choices=REGION_MODES, help="default: auto, that is both")
    parser.add_argument("--roi", metavar="NAME", help="only regions of interest of this name")
    parser.add_argument("--lenient", action="store_const", const="true", help="fill more gaps")
    parser.add_argument("--allow", metavar="CODES", help="for instance: untrained_modality")
    parser.add_argument(
        "--pt-unit", choices=("suv", "stored"), help="of PET; default: suv, and refused without it"
    )
    parser.add_argument(
        "--url",
        metavar="HOST:PORT",
        help=f"a running service; default: the one at {DEFAULT_URL}, else one just for this call",
    )


def request_of(arguments: argparse.Namespace) -> dict[str, str]:
    """Return the options of a request that the arguments state."""
    given = {name: getattr(arguments, name) for name in OPTIONS}
    return {name: value for name, value in given.items() if value}


def run(arguments: argparse.Namespace) -> int:
    """Return 0 if every study gave rows, 1 if some did not, 2 if the call cannot be right."""
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    studies, problem = _studies_or_problem(arguments)
    if problem:
        console.print(f"deepfeatures extract: {problem}", style="red", markup=False)
        return 2
    parameters = request_of(arguments)
    try:
        with service(arguments.url, arguments.model, console) as url:
            outcome = extract(
                studies,
                url,
                console,
                model=arguments.model,
                parameters=parameters,
                previews=arguments.previews,
            )
    except EngineError as error:
        console.print(str(error), style="red", markup=False)
        return 1
    try:
        write_files(outcome, _form(arguments), arguments.out, console)
    except OSError as error:
        console.print(f"{arguments.out} cannot be written: {error}", style="red", markup=False)
        return 1
    return 1 if outcome.failed else 0


def extract(
    studies: Sequence[StudySource],
    url: str,
    console: Console,
    *,
    model: str,
    parameters: Mapping[str, str],
    previews: Path | None,
) -> Outcome:
    """Send the studies one after the other; a study that fails does not stop the next one.

    parameters: options of the request. previews: folder for the pictures, None for no pictures.
    """
    outcome = Outcome(model, parameters)
    with _progress(console, len(studies)) as progress:
        for study in progress.track(studies, description="studies"):
            try:
                answer = _patiently(url, model, study, parameters)
                outcome.add(study.name, answer)
            except (ServiceError, MixedVersionsError, OSError) as error:
                outcome.add_failure(study.name, error)
                console.print(f"{study.name}: {error}", style="red", markup=False)
            except KeyboardInterrupt:
                outcome.add_failure(study.name, KeyboardInterrupt("stopped by hand"))
                console.print("stopped: the rows so far are kept", style="red")
                break
            else:
                _write_previews(previews, answer)
    return outcome


def _patiently(url: str, model: str, study: StudySource, parameters: Mapping[str, str]) -> Features:
    """Return the features; a service that is busy or was interrupted gets time."""
    pauses = {code: iter(seconds) for code, seconds in PATIENCE.items()}
    while True:
        try:
            return _features(url, model, study, parameters=parameters)
        except ServiceError as error:
            pause = next(pauses.get(error.code, iter(())), None)
            if pause is None:
                raise
            time.sleep(pause)


def _features(
    url: str, model: str, study: StudySource, *, parameters: Mapping[str, str]
) -> Features:
    """Return the features of a study; through shared memory if the service is ours, and here."""
    access = local_access(url)  # looked up each time: a Triton that was restarted has a new key
    if access is None:
        return infer(url, model, study.zip_bytes(), parameters)
    content = study.zip_file() or study.zip_bytes()
    return features_of(send_shared(access, model, content, parameters))


@contextmanager
def service(url: str | None, model: str, console: Console) -> Iterator[str]:
    """Give the address of a running service: the one named, the usual one, or one of our own."""
    for pause in PAUSES_SECONDS:
        if is_serving(url or DEFAULT_URL, model):
            yield url or DEFAULT_URL
            return
        if not is_live(url or DEFAULT_URL):
            break
        time.sleep(pause)  # it may be loading the model again
    if url:
        raise EngineError(f"no service that has the model {model} answers at {url}")
    console.print("no service is running: starting one for this call (about 15 s)", style="dim")
    http_port, grpc_port, metrics_port = free_ports(3)
    settings = EngineSettings(http_port, grpc_port, metrics_port)
    with running(settings):
        yield settings.http_url


def _studies_or_problem(arguments: argparse.Namespace) -> tuple[list[StudySource], str]:
    missing = [str(path) for path in arguments.paths if not path.exists()]
    if missing:
        return [], f"no such file or folder: {', '.join(missing)}"
    if arguments.out and arguments.out.suffix not in FORMS:
        return [], f"--out takes a name that ends in {', '.join(FORMS)}, not {arguments.out}"
    if arguments.out and not arguments.out.parent.is_dir():
        return [], f"the folder {arguments.out.parent} does not exist"
    studies = list(find_studies(arguments.paths))
    return studies, "" if studies else "the folder holds neither zips nor DICOM files"


def _form(arguments: argparse.Namespace) -> str:
    """Return csv, json or table: as asked, else by the name of the file that is written."""
    by_name = FORMS[arguments.out.suffix] if arguments.out else "table"
    return str(arguments.form or by_name)


def _progress(console: Console, studies: int) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=console,
        disable=studies < 2,
    )


def _write_previews(folder: Path | None, answer: Features) -> None:
    """Write a row's picture as <modality>-<series>-<row>.png: UIDs name no patient."""
    if folder is None:
        return
    folder.mkdir(parents=True, exist_ok=True)
    for number, (label, preview) in enumerate(zip(answer.rows, answer.previews, strict=True)):
        name = f"{label['modality']}-{label['series_uid']}-{number}.png"
        (folder / name).write_bytes(base64.b64decode(preview))
