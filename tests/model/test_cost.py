from pathlib import Path

import keras
import pytest

from darkroom.examples.saving import save_network
from darkroom.models.architecture import build_network
from darkroom.models.combine import combine
from darkroom.models.cost import measure_latency, multiply_adds, network_cost
from easy import model_params

# one block at 8 x 8: 3 x 3 kernels over 3 colours, 4 filters, then 2 x 2 pooling; 8 units; 3 classes
CONVOLUTION, DENSE, LAST = 8 * 8 * 3 * 3 * 3 * 4, 4 * 4 * 4 * 8, 8 * 3
TINY = CONVOLUTION + DENSE + LAST


def tiny() -> keras.Model:
    return build_network(model_params(), 8, 3)


def test_multiply_adds_of_a_small_network_are_those_on_paper() -> None:
    assert multiply_adds(tiny()) == TINY


def test_separable_and_strided_convolutions_count_at_their_output_in_a_sequential_too() -> None:
    inputs = keras.Input((8, 8, 2))
    block = keras.Sequential([keras.layers.SeparableConv2D(5, 3, strides=2, padding="same")])
    assert multiply_adds(keras.Model(inputs, block(inputs))) == 4 * 4 * (3 * 3 * 2 + 2 * 5)


def test_a_network_counts_once_for_each_view() -> None:
    assert multiply_adds(combine([tiny(), tiny()], "flip")) == 4 * TINY
    assert multiply_adds(combine([tiny()], "flip_shift")) == 6 * TINY


def test_a_nested_mobilenet_has_the_published_number() -> None:
    """41 million: A. G. Howard et al., MobileNets, 2017 (arXiv:1704.04861), table 6."""
    params = model_params(architecture="MobileNet", width=0.25, head="average", dense=[])
    assert multiply_adds(build_network(params, 224, 1000)) == pytest.approx(41e6, rel=0.02)


def test_the_cost_is_of_the_network_and_its_file(tmp_path: Path) -> None:
    network = tiny()
    save_network(network, tmp_path / "model.keras")
    cost = network_cost(network, tmp_path / "model.keras")
    size = (tmp_path / "model.keras").stat().st_size
    assert cost == {"parameters": network.count_params(), "multiply_adds": TINY, "file_bytes": size}


def test_latency_is_measured_one_by_one_and_in_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("darkroom.models.cost.SECONDS", 0.1)
    found = measure_latency(tiny(), 8, 2)
    assert set(found) == {"threads", "peak_memory"} | {f"batch{n}_p{share}" for n in (1, 32) for share in (50, 95)}
    assert 0 < found["batch1_p50"] <= found["batch1_p95"] and found["batch1_p50"] < found["batch32_p95"]
    assert found["peak_memory"] > 100 and found["threads"] == 2
