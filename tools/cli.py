"""`deepfeatures`: the commands, and which module does each."""

import argparse
import sys
from importlib.metadata import version

from tools import compare, demo, doctor, extract, publish, serve, train, verify
from tools.bench import command as bench
from tools.models import command as models
from tools.stability import command as stability

COMMANDS = {
    "serve": (serve, "start Triton with the models, until Ctrl-C"),
    "extract": (extract, "deep features of DICOM zips or folders, as a table, CSV or JSON"),
    "verify": (verify, "compute the rows of a study again, and compare them with a stored result"),
    "stability": (stability, "how much features move with perturbed images and between two scans"),
    "train": (train, "a network from labelled studies, with a card of how good it is"),
    "publish": (publish, "have a trained network served: cut, tried, switched to"),
    "models": (models, "list the versions of models, roll back, remove"),
    "compare": (compare, "our conversion of zips to NIfTI, next to that of another converter"),
    "demo": (demo, "serve, and extract the sample study"),
    "bench": (bench, "measure what the service takes, beside its limits and its peers"),
    "doctor": (doctor, "check whether the service can run here, and how one that runs is doing"),
}


def parser() -> argparse.ArgumentParser:
    """Return the parser of the whole command line."""
    top = argparse.ArgumentParser("deepfeatures", description="Deep features of a DICOM zip.")
    top.add_argument(
        "--version", action="version", version=f"%(prog)s {version('triton-deep-features')}"
    )
    commands = top.add_subparsers(title="commands", required=True, metavar="COMMAND")
    for name, (module, summary) in COMMANDS.items():
        command = commands.add_parser(name, help=summary, description=summary)
        module.add_arguments(command)
        command.set_defaults(run=module.run)
    return top


def main() -> None:
    """Run the command and exit with its code; a wrong call exits with 2, as argparse does."""
    arguments = parser().parse_args()
    sys.exit(arguments.run(arguments))


if __name__ == "__main__":
    main()
