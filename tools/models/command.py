"""`deepfeatures models`: what is published, and which version is served."""

import argparse
import json
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from tools.engine.sources import CONFIG
from tools.models.configs import parameters_of, read_config
from tools.models.names import ModelsError, Version
from tools.models.pair import CARD, DIGEST
from tools.models.publishing import remove, roll_back
from tools.models.service import live_at, service_for
from tools.models.store import Store
from tools.publish import add_where, store_of


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what `deepfeatures models` takes."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION")
    add_where(actions.add_parser("list", help="all versions, and which is served (the default)"))
    show = actions.add_parser("show", help="the card of a version")
    back = actions.add_parser("rollback", help="serve the version again that was served before")
    gone = actions.add_parser("remove", help="remove a version that is not served")
    for each in (show, back, gone):
        each.add_argument("name", metavar="NAME")
        add_where(each)
    show.add_argument("version", type=int, nargs="?", metavar="VERSION", help="default: served")
    back.add_argument("--to", type=int, metavar="VERSION", help="this one, instead")
    gone.add_argument("version", type=int, metavar="VERSION")
    add_where(parser)
    parser.set_defaults(action="list")


def run(arguments: argparse.Namespace) -> int:
    """Return 0 if it was done, 1 if not, with the reason."""
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    try:
        ACTIONS[arguments.action](store_of(arguments), arguments, console)
    except (ModelsError, OSError) as error:
        console.print(str(error), style="red", markup=False)
        return 1
    return 0


def _list(store: Store, _: argparse.Namespace, __: Console) -> None:
    headings = ("model", "version", "served", "features", "for", "weights", "digest", "published")
    table = Table(*headings, box=box.SIMPLE)
    for version in store.versions():
        card, stated = _card(store, version), parameters_of(store.folder_of(version.preprocess))
        table.add_row(
            version.name,
            str(version.number),
            "yes" if store.served(version.name) == version else "",
            str(read_config(store.folder_of(version.extractor) / CONFIG).output[0].dims[-1]),
            stated["trained_modalities"],
            stated["weights"],
            stated[DIGEST][:12],
            card.get("published", "with the project"),
        )
    Console(soft_wrap=True).print(table)


def _show(store: Store, arguments: argparse.Namespace, _: Console) -> None:
    served = store.served(arguments.name)
    version = Version(arguments.name, arguments.version) if arguments.version else served
    if version not in store.versions(arguments.name):
        raise ModelsError(f"there is no such version of {arguments.name}")
    Console(soft_wrap=True).print_json(json.dumps(_card(store, version)))


def _roll_back(store: Store, arguments: argparse.Namespace, console: Console) -> None:
    with store.locked(), service_for(arguments.url, store) as live:
        version = roll_back(
            arguments.name,
            store,
            live,
            to=arguments.to,
            say=lambda text: console.print(text, style="dim"),
        )
    console.print(f"{version.name} is version {version.number} again")


def _remove(store: Store, arguments: argparse.Namespace, console: Console) -> None:
    version = Version(arguments.name, arguments.version)
    with store.locked():
        remove(version, store, live_at(arguments.url, store))
    console.print(f"{version.name} has no version {version.number} any more")


def _card(store: Store, version: Version) -> dict[str, Any]:
    file = store.folder_of(version.extractor) / "1" / CARD
    card: dict[str, Any] = json.loads(file.read_text()) if file.exists() else {}
    return card


ACTIONS = {"list": _list, "show": _show, "rollback": _roll_back, "remove": _remove}
