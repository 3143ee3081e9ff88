"""`deepfeatures stability`: how much features move when images and contours do."""

import argparse
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from rich.console import Console

from gateway.results.table import feature_names
from imaging.errors import InputError
from imaging.instances import quiet_pydicom
from imaging.options import Options
from imaging.recipe import Recipe
from tools.engine.settings import EngineError
from tools.engine.sources import store_folder
from tools.extract import add_request, request_of, service
from tools.locations import data_folder
from tools.models.configs import parameters_of
from tools.models.store import Store
from tools.stability.cohort import Cohort
from tools.stability.lines import Line
from tools.stability.measuring import Network
from tools.stability.pairs import CallError, Pair, read_pairs
from tools.stability.report import as_csv, print_table, write_files
from tools.studies import StudySource, find_studies

PLOT = "stability.png"

NOTHING = "nothing was measured: no study has rows as asked for, or no pair has a row in common"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what `deepfeatures stability` takes."""
    parser.add_argument("paths", nargs="*", type=Path, metavar="ZIP|FOLDER", help="to be perturbed")
    parser.add_argument(
        "--pairs",
        type=Path,
        metavar="CSV",
        help="with columns zip_a and zip_b: two scans of one patient a line",
    )
    parser.add_argument("--seed", type=_whole, default=0, metavar="N", help="default: 0")
    parser.add_argument(
        "--repeats",
        type=_whole,
        default=3,
        metavar="K",
        help="of what is drawn by chance: rotation, noise, jitter; default: 3",
    )
    parser.add_argument("--csv", action="store_true", help="print the numbers of each feature")
    parser.add_argument(
        "--out", type=Path, metavar="FOLDER", help="write tables there, and a picture"
    )
    add_request(parser)


def run(arguments: argparse.Namespace) -> int:
    """Return 0 if all studies were measured, 1 if some were not, 2 if the call cannot be right."""
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    quiet_pydicom()
    try:
        studies, pairs = _studies(arguments)
        options = Options.from_parameters(request_of(arguments))
        extractor, recipe = _network_of(arguments.model)
    except (CallError, InputError, OSError) as error:
        console.print(f"deepfeatures stability: {error}", style="red", markup=False)
        return 2
    try:
        with service(arguments.url, extractor, console) as url:
            network = Network(url, extractor, recipe)
            cohort = Cohort(network, options, arguments.seed, arguments.repeats, console)
            lines = cohort.lines(studies, pairs)
        if not lines:
            console.print(NOTHING, style="red")
            return 1
        _tell(lines, arguments, cohort)
    except (EngineError, OSError) as error:
        console.print(str(error), style="red", markup=False)
        return 1
    return 1 if cohort.failed else 0


def _tell(lines: Sequence[Line], arguments: argparse.Namespace, cohort: Cohort) -> None:
    """Print the lines and write the files; say what one study alone cannot tell."""
    console, recipe = cohort.console, cohort.network.recipe
    names = feature_names(recipe.feature_prefix, lines[0].measured.shape[2])
    if arguments.csv:
        sys.stdout.write(as_csv([row for line in lines for row in line.features(names)]))
    else:
        print_table(lines)
    if alone := sorted({line.group for line in lines if line.agreement is None}):
        console.print(
            f"rows of one study alone ({'; '.join(alone)}): ICC and CCC need two or more patients, "
            "so only how far features move is told",
            style="yellow",
        )
    if any(one.perturbed and one.noise_sd == 0 for one in cohort.rows):
        console.print("images without noise got none added", style="yellow")
    if arguments.out:
        written = write_files(lines, names, cohort.conditions(), arguments.out)
        written += _plotted(lines, arguments.out, console)
        console.print(f"written to {arguments.out}: {', '.join(written)}", markup=False)


def _plotted(lines: Sequence[Line], folder: Path, console: Console) -> list[str]:
    comparable = [line for line in lines if line.agreement is not None]
    if not comparable:
        return []
    if find_spec("matplotlib") is None:
        console.print("no picture: matplotlib is not installed (extra bench)", style="dim")
        return []
    from tools.stability.plot import draw  # an extra

    draw(comparable, folder / PLOT)
    return [PLOT]


def _studies(arguments: argparse.Namespace) -> tuple[list[StudySource], list[Pair]]:
    missing = [str(path) for path in arguments.paths if not path.exists()]
    if missing:
        raise CallError(f"no such file or folder: {', '.join(missing)}")
    studies = list(find_studies(arguments.paths))
    pairs = read_pairs(arguments.pairs) if arguments.pairs else []
    if not (studies or pairs):
        raise CallError("no study: name zips or folders, or pairs of them with --pairs")
    if arguments.out and arguments.out.exists() and not arguments.out.is_dir():
        raise CallError(f"--out takes a folder, and {arguments.out} is a file")
    return studies, pairs


def _network_of(model: str) -> tuple[str, Recipe]:
    """Return the name of a model's network in Triton, and how the model wants its input."""
    store = Store(store_folder(), data_folder("model_repository"))
    version = store.served(model)
    if version is None:
        raise CallError(f"there is no model {model} on this machine: see deepfeatures models")
    parameters = parameters_of(store.folder_of(version.preprocess))
    return version.extractor, Recipe.from_parameters(parameters)


def _whole(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"a whole number from 0 is needed, not {text}")
    return int(text)
