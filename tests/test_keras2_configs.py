"""Descriptions of Keras 2 keep their meaning when they are put in the words of Keras 3."""

import pytest

from tools.networks import NetworkError
from tools.networks.keras2_configs import as_keras_3


def network(*layers):
    return {"class_name": "Functional", "config": {"name": "network", "layers": list(layers)}}


def layer(kind, name, *inbound, **stated):
    nodes = [[[each, 0, 0, {}] for each in inbound]] if inbound else []
    config = {"name": name, **stated}
    return {"class_name": kind, "config": config, "name": name, "inbound_nodes": nodes}


def test_what_has_no_effect_is_left_out():
    described = network(
        layer("GRU", "row", time_major=False, units=3),
        layer("SpatialDropout3D", "drop", noise_shape=None, trainable=False, rate=0.2),
    )

    row, drop = as_keras_3(described)["config"]["layers"]

    assert row["config"] == {"name": "row", "units": 3}
    assert drop["config"] == {"name": "drop", "rate": 0.2}


@pytest.mark.parametrize(
    ("kind", "stated"),
    [("GRU", {"time_major": True}), ("SpatialDropout3D", {"noise_shape": [1, 2]})],
)
def test_what_has_an_effect_stays_for_keras_to_refuse(kind, stated):
    described = network(layer(kind, "one", **stated))

    assert as_keras_3(described) == described


def test_the_description_itself_is_not_changed():
    described = network(layer("GRU", "row", time_major=False))

    as_keras_3(described)

    assert described == network(layer("GRU", "row", time_major=False))


def test_only_sequential_networks_inside_are_counted_from_one():
    inside = layer("Sequential", "inside", "ct", layers=[])
    inside["inbound_nodes"] = [[["ct", 0, 0, {}]]]
    after = layer("Add", "sum")
    after["inbound_nodes"] = [[["inside", 1, 0, {}], ["inside", 2, 0, {}], ["ct", 0, 0, {}]]]
    described = network(inside, after)
    described["config"]["output_layers"] = [["inside", 1, 0]]

    ours = as_keras_3(described)["config"]

    assert ours["layers"][1]["inbound_nodes"] == [
        [["inside", 0, 0, {}], ["inside", 1, 0, {}], ["ct", 0, 0, {}]]
    ]
    assert ours["output_layers"] == [["inside", 0, 0]]


def test_the_axis_of_a_normalisation_is_one_number_in_a_keras_file():
    normalisation = {"module": "keras.layers", **layer("BatchNormalization", "norm", axis=[4])}

    [ours] = as_keras_3(network(normalisation))["config"]["layers"]

    assert ours["config"]["axis"] == 4


@pytest.mark.parametrize("name", ["activation", "recurrent_activation"])
def test_an_activation_of_another_meaning_is_refused_wherever_it_is(name):
    inside = layer("Sequential", "inside", layers=[layer("LSTM", "row", **{name: "hard_sigmoid"})])

    with pytest.raises(NetworkError, match="layer 'row' has the activation hard_sigmoid"):
        as_keras_3(network(inside))
