"""Where ImageNet weights are looked for, without any download."""

from pathlib import Path
from typing import Any

import keras
import pytest

from darkroom.models.backbone_table import BACKBONES, LOCAL_NAMES, WEIGHTS
from darkroom.models.weights import Internet, find_weights, how_to_get_weights, weights_address

QUICK = ["MobileNet", "MobileNetV3Small"]


class Asked(Exception):
    """In place of a download."""


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    """The addresses that Keras was asked to fetch; its cache is empty, and the internet out of reach."""
    seen: list[str] = []

    def fail(name: str, address: str, **_: object) -> str:
        seen.append(address)
        raise Asked(f"URL fetch failure on {name}")

    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    monkeypatch.setattr(keras.utils, "get_file", fail)
    return seen


def cached(tmp_path: Path, name: str, content: bytes | Path) -> None:
    file = tmp_path / "keras" / "models" / name
    file.parent.mkdir(parents=True)
    file.write_bytes(content if isinstance(content, bytes) else content.read_bytes())


def test_keras_cache_comes_before_the_folder_and_the_folder_before_the_internet(
    asked: list[str], given_weights: Path, tmp_path: Path
) -> None:
    assert find_weights("MobileNet", 0.25, given_weights, 32, Internet()) == "small.weights.h5"
    cached(tmp_path, "mobilenet_2_5_224_tf_no_top.h5", given_weights / "small.weights.h5")
    assert find_weights("MobileNet", 0.25, given_weights, 32, Internet()) == "imagenet" and asked == []


def test_what_is_cut_off_or_does_not_fit_is_passed_over(
    asked: list[str], given_weights: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    whole = (given_weights / "small.weights.h5").read_bytes()
    cached(tmp_path, "mobilenet_5_0_160_tf_no_top.h5", whole[: len(whole) // 2])
    (given_weights / "a.h5").write_text("no weights")
    assert find_weights("MobileNet", 0.5, given_weights, 160, Internet()) == ""
    assert [address.rsplit("/", 1)[1] for address in asked] == ["mobilenet_5_0_160_tf_no_top.h5"]
    assert find_weights("MobileNet", 0.25, given_weights, 32, Internet()) == "small.weights.h5"
    assert "\n" not in "".join(record.getMessage() for record in caplog.records)


@pytest.mark.parametrize("whole", [True, False])
def test_what_can_be_fetched_is_imagenet_and_a_page_in_its_place_is_not(
    whole: bool, monkeypatch: pytest.MonkeyPatch, asked: list[str], given_weights: Path, tmp_path: Path
) -> None:
    def fetch(name: str, address: str, **_: object) -> None:
        asked.append(address)
        cached(tmp_path, name, given_weights / "small.weights.h5" if whole else b"<html>log in first")

    monkeypatch.setattr(keras.utils, "get_file", fetch)
    internet = Internet()
    assert find_weights("MobileNetV2", 1.0, tmp_path, 96, internet) == ("imagenet" if whole else "")
    assert asked[0].endswith("/mobilenet_v2/mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_96_no_top.h5")
    assert internet.reachable == whole


def test_after_a_failed_download_only_files_are_looked_at(
    asked: list[str], given_weights: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    internet = Internet()
    with caplog.at_level("INFO"):
        found = [find_weights("MobileNetV2", 1.0, tmp_path, size, internet) for size in (224, 160, 96)]
    assert found == ["", "", ""] and len(asked) == 1
    assert [record.getMessage().partition(":")[0] for record in caplog.records][1:] == ["the download failed"]
    assert find_weights("MobileNet", 0.25, given_weights, 32, internet) == "small.weights.h5"


def test_without_the_internet_nothing_is_asked(asked: list[str], tmp_path: Path) -> None:
    assert find_weights("MobileNetV2", 1.0, tmp_path, 96, Internet(reachable=False)) == "" and asked == []


def test_the_sentence_names_the_file_and_the_place(asked: list[str], tmp_path: Path) -> None:
    said = how_to_get_weights("MobileNet", 0.25, 192)
    assert "mobilenet/mobilenet_2_5_192_tf_no_top.h5 and put it into data/weights/" in said
    assert "nobody has published ImageNet weights for MobileNet of width 0.3" in how_to_get_weights("MobileNet", 0.3)
    assert find_weights("MobileNet", 0.3, tmp_path, 224, Internet()) == "" and asked == []


@pytest.mark.parametrize(
    "name", [pytest.param(one, marks=() if one in QUICK else pytest.mark.slow) for one in BACKBONES]
)
def test_the_address_is_the_one_that_keras_asks(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Any] = []

    def ask(file: str, address: str, **_: object) -> None:
        seen.extend([file, address])
        raise Asked

    monkeypatch.setattr("keras.src.utils.file_utils.get_file", ask)
    with keras.StatelessScope(), pytest.raises(Asked):  # no weight is drawn
        getattr(keras.applications, name)(include_top=False, input_shape=(224, 224, 3))
    assert set(WEIGHTS) == set(BACKBONES)
    assert seen == [LOCAL_NAMES.get(name, seen[1].rsplit("/", 1)[1]), weights_address(name, 1.0)]
