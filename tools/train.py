"""`deepfeatures train`: labelled studies in; a network, its card and its learning curve out."""

import argparse
from pathlib import Path

from imaging.instances import quiet_pydicom
from tools.chatter import console_of_errors, without_chatter
from tools.training.errors import TrainingError
from tools.training.fitting import PATIENCE
from tools.training.procedure import train

EPOCHS = 20
"""At most. An epoch of 40 studies, with its validation, takes half a minute on two cores."""

LARGEST_SEED = 2**31 - 1000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what `deepfeatures train` takes."""
    parser.add_argument(
        "folder",
        type=Path,
        metavar="FOLDER",
        help="a folder for each of two classes: DICOM zips, DICOM files, or CTs as NIfTI in HU",
    )
    parser.add_argument(
        "--out",
        type=Path,
        required=True,
        metavar="DIR",
        help="for the network and its card; meanwhile also for the studies' inputs, which are "
        "patient data",
    )
    parser.add_argument("--positive", default="", metavar="CLASS", help="default: 1 of 0 and 1")
    parser.add_argument(
        "--labels",
        type=Path,
        metavar="CSV",
        help="file,label[,group] a study, instead of folders as classes; studies of a group (a "
        "patient) stay together; default of a group: PatientID, else the file",
    )
    parser.add_argument(
        "--held-out",
        type=Path,
        metavar="FOLDER",
        help="studies of the same classes, for the card's numbers alone; folders as classes",
    )
    _add_settings(parser)


def _add_settings(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--recipe",
        type=Path,
        metavar="CONFIG",
        help="config.pbtxt with the parameters of the input; default: that of ct3dcnn, but for "
        "--antialias gaussian",
    )
    parser.add_argument(
        "--antialias",
        choices=("none", "gaussian", "area"),
        help="before a volume is made smaller; default: as --recipe says, gaussian without one",
    )
    parser.add_argument("--epochs", type=int, default=EPOCHS, help=f"at most; default: {EPOCHS}")
    parser.add_argument(
        "--patience",
        type=int,
        default=PATIENCE,
        metavar="EPOCHS",
        help=f"stop after so many without a higher validation AUC; default: {PATIENCE}",
    )
    parser.add_argument("--seed", type=int, default=1, help="of all that is random; default: 1")
    parser.add_argument("--about", default="", metavar="TEXT", help="the studies, for the card")
    parser.add_argument(
        "--demonstration",
        action="store_true",
        help="the network is for checking a pipeline: its card and rows say so",
    )
    parser.add_argument("--skip-unreadable", action="store_true", help="train without them")
    parser.add_argument("--keep-cache", action="store_true", help="keep the inputs in DIR")


def run(arguments: argparse.Namespace) -> int:
    """Return 0 if a network was trained, 1 if that failed, 2 if the call cannot be right."""
    console = console_of_errors()
    quiet_pydicom()
    try:
        _refuse_call(arguments)
        with without_chatter():
            train(arguments, console)
    except TrainingError as error:
        console.print(f"deepfeatures train: {error}", style="red", markup=False)
        return 2
    except OSError as error:
        console.print(f"a file cannot be read or written: {error}", style="red", markup=False)
        return 1
    except KeyboardInterrupt:
        console.print(
            f"stopped: the same command goes on from the last epoch; {arguments.out} holds inputs "
            "made of the studies",
            style="red",
            markup=False,
        )
        return 1
    return 0


def _refuse_call(arguments: argparse.Namespace) -> None:
    for folder in filter(None, (arguments.folder, arguments.held_out)):
        if not folder.is_dir():
            raise TrainingError(f"there is no folder {folder}")
    for file in filter(None, (arguments.labels, arguments.recipe)):
        if not file.is_file():
            raise TrainingError(f"there is no file {file}")
    if (arguments.out / "card.json").exists():
        raise TrainingError(
            f"{arguments.out} holds a trained network: name another folder by --out"
        )
    if min(arguments.epochs, arguments.patience) < 1 or not 0 <= arguments.seed < LARGEST_SEED:
        raise TrainingError(f"--epochs, --patience from 1 and --seed from 0 to {LARGEST_SEED - 1}")
