"""The layers of a network as a table: what `deepfeatures publish --list-layers` shows."""

from rich import box
from rich.markup import escape
from rich.table import Table

from tools.networks.network import Layer, Network

UNKNOWN = "unknown"


def layers_table(network: Network) -> Table:
    """Return one line a layer, the first at the top.

    The layer that is taken if none is named is marked, and so are all that give a vector a row.
    """
    default = network.default_layer()
    table = Table(
        title=f"{network.format}, volumes of {_lengths(network.input_shape)}",
        box=box.SIMPLE,
        title_justify="left",
        caption="features are a vector a row: from layers marked yes",
        caption_justify="left",
    )
    for heading in ("layer", "kind"):
        table.add_column(heading, overflow="fold")
    for heading in ("shape", "parameters"):
        table.add_column(heading, justify="right")
    table.add_column("features")
    for layer in network.layers:
        table.add_row(*_cells(layer, is_default=layer.name == default))
    return table


def _cells(layer: Layer, *, is_default: bool) -> tuple[str, ...]:
    can_be_taken = "[green]default[/]" if is_default else "yes" if layer.gives_a_vector else ""
    return (
        escape(layer.name),
        escape(layer.kind),
        UNKNOWN if layer.shape is None else _lengths(layer.shape),
        UNKNOWN if layer.parameters is None else f"{layer.parameters:,}",
        can_be_taken,
    )


def _lengths(shape: tuple[int | None, ...]) -> str:
    return "×".join("any" if length is None else str(length) for length in shape) or "1"
