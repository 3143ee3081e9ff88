"""`deepfeatures demo`: the service, and the features of the sample study that comes with it."""

import argparse
from pathlib import Path

from rich.console import Console

from tools import demo_cohort, extract, serve
from tools.engine.settings import EngineError
from tools.locations import data_folder
from tools.outcome import print_table, write_files
from tools.studies import StudySource

SAMPLE = "ct-chest-lidc-16.zip"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what `deepfeatures serve` takes, and where the results go."""
    serve.add_arguments(parser)
    parser.add_argument(
        "--results", type=Path, metavar="FOLDER", default=Path("demo"), help="default: demo"
    )
    parser.add_argument("--once", action="store_true", help="stop after the sample")


def run(arguments: argparse.Namespace) -> int:
    """Serve, extract the sample, say where the result is, and go on serving."""
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    try:
        with serve.serving(arguments, console) as service:
            failed = _extract_sample(arguments, console)
            if not failed and not arguments.once:
                if service.page:
                    demo_cohort.begin(service.page, data_folder("sample") / SAMPLE, console)
                service.watch()
    except EngineError as error:
        console.print(str(error), style="red", markup=False)
        return 1
    return failed


def _extract_sample(arguments: argparse.Namespace, console: Console) -> int:
    sample = data_folder("sample") / SAMPLE
    url = f"127.0.0.1:{arguments.http_port}"
    results: Path = arguments.results
    results.mkdir(parents=True, exist_ok=True)
    outcome = extract.extract(
        [StudySource(SAMPLE, (sample,))],
        url,
        console,
        model="ct3dcnn",
        parameters={},
        previews=results,
    )
    if outcome.failed:
        return 1
    print_table(outcome)
    write_files(outcome, "csv", results / "features.csv", console)
    console.print(
        f"What the network saw is a PNG in {results}. Your own study, from a second terminal:\n"
        f"  curl -o out --data-binary @study.zip -H 'Inference-Header-Content-Length: 0' \\\n"
        f"    -H 'Content-Type: application/octet-stream' {url}/v2/models/ct3dcnn/infer\n"
        f"  .venv/bin/deepfeatures extract study.zip --out features.csv",
        markup=False,
    )
    return 0
