"""A network is served the bits that it was trained on, decoded in the version that its bundle names."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Literal

import numpy as np
import pytest

from darkroom.core.files import read_value, write_value
from darkroom.decision.saving import write_decision
from darkroom.examples.pixel_cache import open_pixels
from darkroom.export.workspace_data import read_bundle
from darkroom.images.decode import decode
from darkroom.images.packed import write_shard
from darkroom.images.thumbnails import THUMBNAIL_BYTES
from darkroom.package.answers import Answers, load_answers
from darkroom.package.bundle import write_bundle
from darkroom.params.schema import ImageParams
from defaults import default_params
from large_jpegs import LARGE, PLAIN
from mean_colours import COLOURFUL, LIMITS, RULE, means


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1) as executor:
        yield executor


@pytest.mark.parametrize("decoding", [1, 2])
@pytest.mark.parametrize("resize", ["squash", "crop", "pad"])
def test_training_sees_the_bits_that_are_served(
    resize: Literal["squash", "crop", "pad"], decoding: int, pool: ThreadPoolExecutor, tmp_path: Path
) -> None:
    image = ImageParams(size=40, resize=resize, background="lime", depth="auto")
    ids = [f"{number:020x}" for number in range(len(LARGE))]
    (tmp_path / "images").mkdir()
    shard = [(name, data, bytes(THUMBNAIL_BYTES)) for name, data in zip(ids, LARGE.values(), strict=True)]
    write_shard(tmp_path / "images" / "0.parquet", shard)
    limits = {**LIMITS, "pixels": 10**6}
    served = Answers(means, ["r", "g", "b"], image.model_dump(), limits, RULE, COLOURFUL, "", decoding)
    trained = open_pixels(tmp_path / "images", image, tmp_path, pool, decoding)[:]
    assert np.array_equal(trained, np.stack([served.decode(data) for data in LARGE.values()]))
    other = open_pixels(tmp_path / "images", image, tmp_path, pool, 3 - decoding)[:]
    assert not np.array_equal(trained, other)


def test_a_bundle_says_how_its_pictures_are_decoded_and_an_older_one_goes_on_as_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    params = default_params()
    package = params.package.model_copy(update={"runtime": "keras"})
    model, decision, bundle = tmp_path / "model.keras", tmp_path / "decision", tmp_path / "bundle"
    model.write_bytes(b"weights")
    write_decision(decision, RULE, COLOURFUL)
    write_bundle(bundle, model, decision, ("a", "b"), params.image, package, lambda: np.zeros((0, 16, 16, 3), np.uint8))
    monkeypatch.setattr("darkroom.package.answers.load_engine", lambda *_: means)
    facts = read_value(bundle / "bundle.json")
    whole, scaled = (decode(PLAIN, **params.image.model_dump(), decoding=version) for version in (1, 2))
    assert read_bundle(bundle).decoding == facts.pop("decoding") == 2
    assert np.array_equal(load_answers(bundle).decode(PLAIN), scaled)
    write_value(bundle / "bundle.json", facts, ".json")
    assert read_bundle(bundle).decoding == 1
    assert np.array_equal(load_answers(bundle).decode(PLAIN), whole)
    assert not np.array_equal(whole, scaled)
