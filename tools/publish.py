"""`deepfeatures publish`: a trained network becomes a model that is served."""

import argparse
import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console

from tools.chatter import console_of_errors, without_chatter
from tools.engine.sources import store_folder
from tools.extract import DEFAULT_URL
from tools.locations import data_folder
from tools.models.candidates import Statements, candidate_of
from tools.models.names import ModelsError, Version, checked_name
from tools.models.pair import Candidate
from tools.models.pretrained import CHAINS, pretrained_candidate
from tools.models.publishing import publish
from tools.models.service import live_at, service_for
from tools.models.store import Store
from tools.networks import Network, NetworkError, open_network
from tools.networks.listing import layers_table

KNOWN_TO_A_CARD = ("source", "licence", "summary")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what `deepfeatures publish` takes."""
    parser.add_argument(
        "file",
        type=Path,
        metavar="MODEL",
        help=".keras, .h5 or a SavedModel; or astra, merlin: networks that others trained",
    )
    parser.add_argument("--name", help="of the model: what clients ask for")
    parser.add_argument(
        "--weights", type=Path, metavar="CHECKPOINT", help="of astra or merlin; default: downloaded"
    )
    cut = parser.add_mutually_exclusive_group()
    cut.add_argument("--layer", help="whose output the features are; default: see --list-layers")
    cut.add_argument("--drop-last", type=int, metavar="K", help="leave out the last K layers")
    parser.add_argument("--list-layers", action="store_true", help="list them, and stop")
    parser.add_argument(
        "--architecture", choices=("ct3dcnn",), help="of an .h5 that has weights alone"
    )
    parser.add_argument(
        "--trust",
        action="store_true",
        help="allow operations and layers that may do anything on the server",
    )
    parser.add_argument(
        "--card", type=Path, metavar="JSON", help="what `train` wrote; default: beside MODEL"
    )
    parser.add_argument(
        "--modality", action="append", metavar="CT|MR|PT", help="trained on; default: CT"
    )
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="a parameter of the preprocessing, such as window_CT='-160,240 HU'",
    )
    for name in KNOWN_TO_A_CARD:
        parser.add_argument(f"--{name}", help="kept in the model's card")
    add_where(parser)


def add_where(parser: argparse.ArgumentParser) -> None:
    """Add which models are meant, and which service."""
    parser.add_argument(
        "--store",
        type=Path,
        metavar="FOLDER",
        default=store_folder(),
        help="default: the account's",
    )
    parser.add_argument(
        "--url", metavar="HOST:PORT", default=DEFAULT_URL, help=f"default: {DEFAULT_URL}"
    )


def store_of(arguments: argparse.Namespace) -> Store:
    """Return the store that the arguments name."""
    return Store(arguments.store.absolute(), data_folder("model_repository"))


def run(arguments: argparse.Namespace) -> int:
    """Return 0 if the model is served, or listed; 1 if not, with the reason."""
    console = console_of_errors()
    try:
        with without_chatter():
            _run(arguments, console)
    except (ModelsError, NetworkError, OSError) as error:
        console.print(str(error), style="red", markup=False)
        return 1
    return 0


def _run(arguments: argparse.Namespace, console: Console) -> None:
    word = str(arguments.file)
    if word in CHAINS:
        name = checked_name(arguments.name or word)
        _publish(name, pretrained_candidate(word, arguments.weights), arguments, console)
        return
    network = open_network(
        arguments.file, architecture=arguments.architecture, trust=arguments.trust
    )
    if arguments.list_layers:
        Console(soft_wrap=True).print(layers_table(network))
        return
    layer, stated = _layer(network, arguments), _statements(arguments)
    name = checked_name(arguments.name or "")
    console.print(f"the features are those of the layer {layer}", style="dim", markup=False)
    _publish(
        name,
        lambda version: candidate_of(network, layer, version=version, stated=stated),
        arguments,
        console,
    )


def _publish(
    name: str,
    candidate: Callable[[Version], Candidate],
    arguments: argparse.Namespace,
    console: Console,
) -> None:
    store = store_of(arguments)
    service = partial(service_for, arguments.url, store)
    with store.locked():
        is_there = live_at(arguments.url, store) is not None
        version = store.next_version(name)
        say = partial(console.print, style="dim", markup=False)
        publish(candidate(version), store, service, say=say)
    served = f"at {arguments.url}" if is_there else "when `deepfeatures serve` is started"
    console.print(f"{name} is version {version.number}, served {served}")


def _layer(network: Network, arguments: argparse.Namespace) -> str:
    if arguments.layer:
        return str(arguments.layer)
    if arguments.drop_last is not None:
        return network.dropping(arguments.drop_last)
    layer = network.default_layer()
    if layer is None:
        raise ModelsError(
            "the network is not of an architecture that is known: name the layer whose output the "
            "features are with --layer or --drop-last; --list-layers shows them"
        )
    return layer


def _statements(arguments: argparse.Namespace) -> Statements:
    """Return what a card says, and what the command line says over it."""
    card = _card(arguments)
    recipe = card.pop("parameters", None) or card.get("recipe", {})
    parameters = {**recipe}
    for text in arguments.set:
        key, equals, value = text.partition("=")
        if not equals:
            raise ModelsError(f"--set takes KEY=VALUE, not {text}")
        parameters[key] = value
    stated = {key: getattr(arguments, key) for key in KNOWN_TO_A_CARD}
    card |= {key: value for key, value in stated.items() if value}
    modalities = arguments.modality or card.get("modalities") or ["CT"]
    return Statements(parameters, tuple(modalities), card)


def _card(arguments: argparse.Namespace) -> dict[str, Any]:
    file = arguments.card or arguments.file.with_name("card.json")
    if not arguments.card and (arguments.file.is_dir() or not file.exists()):
        return {}
    try:
        card: dict[str, Any] = json.loads(file.read_text())
    except ValueError as error:
        raise ModelsError(f"{file} is no JSON: {error}") from error
    return card
