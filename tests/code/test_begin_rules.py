"""The rules of `darkroom begin` on facts made by hand: pure functions of facts, machine and time."""

from dataclasses import replace
from functools import cache, partial
from typing import Any

import pytest

from darkroom.begin.data_rules import split_sizes
from darkroom.begin.facts import Facts
from darkroom.begin.machine import Machine, usable_memory
from darkroom.begin.rules import ROWS, choose, choose_data
from darkroom.begin.speed import Speed
from darkroom.params.load import Overlay
from darkroom.params.recipes import recipe_network
from pictures import ROOT

PLAIN = Facts("x.zip", dict.fromkeys("abcd", 500), {}, (200, 240, 300), 1.3, 0.02, 180)
CIFAR = Facts("c.zip", dict.fromkeys("abcdefghij", 6000), {"train": 50000, "test": 10000}, (32, 32, 32), 1, 0, 32)
RECIPES = cache(partial(recipe_network, ROOT))
QUICK = Speed(start=5, epoch=0.1, small=0.0002, whole=0.0005, tuned=0.002, answer=0.0002, decode=0.001, python=1)


def machine(slower: float = 1.0, weights: tuple[str, ...] = (), memory: int = 16_000_000_000, gpus: int = 0) -> Machine:
    """Return a machine on which a network of many filters takes longer."""

    def measure(overlay: Overlay) -> Speed:
        work = slower * sum(overlay["model"].get("filters", [150])) / 150
        return replace(QUICK, **{name: getattr(QUICK, name) * work for name in ("small", "whole", "tuned", "answer")})

    return Machine(2, memory, gpus, True, lambda name, *_: "imagenet" if name in weights else "", measure)


def chosen(facts: Facts, minutes: float = 10, **options: Any) -> dict[str, Any]:
    found = choose(facts, machine(**options), minutes, RECIPES)
    assert len({choice.key for choice in found}) == len(found) and all(choice.reason for choice in found)
    return {choice.key: choice.value for choice in found}


def test_photographs_with_weights_get_the_best_backbone_that_there_is_time_for() -> None:
    quick = chosen(PLAIN, weights=("MobileNet", "EfficientNetV2B0"))
    assert (quick["model.architecture"], quick["model.weights"], quick["image.size"]) == (
        "EfficientNetV2B0",
        "imagenet",
        224,
    )
    slow = chosen(PLAIN, slower=40, weights=("MobileNet", "EfficientNetV2B0"))
    assert (slow["model.architecture"], slow["image.size"]) == ("MobileNet", 128)
    assert quick["finetune.epochs"] > slow["finetune.epochs"] >= 1


def test_photographs_without_weights_are_learnt_from_scratch_no_larger_than_they_are() -> None:
    assert chosen(PLAIN)["image.size"] == 128 and "model.weights" not in chosen(PLAIN)
    small = replace(PLAIN, short_sides=(60, 66, 80))
    assert chosen(small, weights=("MobileNet",))["image.size"] == 64


@pytest.mark.parametrize(
    ("minutes", "filters", "average"), [(300, 320, "flip_shift"), (60, 176, "flip_shift"), (10, 128, "flip")]
)
def test_the_more_time_the_larger_the_network_of_small_pictures(minutes: float, filters: int, average: str) -> None:
    found = chosen(CIFAR, minutes, slower=6)
    assert (found["model.filters"][-1], found["model.average"]) == (filters, average)
    assert found["train.small_epochs"] == pytest.approx(found["train.epochs"] / 2, abs=1)
    assert (found["image.size"], found["train.small_size"]) == (32, 24)


def test_more_minutes_are_more_epochs_and_all_of_it_takes_about_as_long_as_was_asked() -> None:
    few, many = (chosen(CIFAR, minutes, slower=1.5)["train.epochs"] for minutes in (5, 8))
    assert many > few
    reason = next(c.reason for c in choose(CIFAR, machine(1.5), 8, RECIPES) if "epochs" in c.key)
    assert 7 < float(reason.split(" of 8 minutes")[0].split(": ")[1]) <= 8


def test_too_little_time_is_said() -> None:
    found = choose(CIFAR, machine(60), 1, RECIPES)
    epochs = next(choice for choice in found if choice.key == "train.epochs")
    assert epochs.value == 1 and epochs.reason.endswith("more than the 1 that were asked for")


def test_tiny_grey_pictures_are_not_mirrored_and_get_a_small_network() -> None:
    digits = Facts("digits", dict.fromkeys("0123456789", 180), {}, (8, 8, 8), 1, 1, 8)
    found = chosen(digits)
    assert (found["model.architecture"], found["image.size"], found["augment.horizontal_flip"]) == ("conv", 16, False)
    assert found["train.step_epochs"] == sorted(set(found["train.step_epochs"]))
    for side, size in ((17, 16), (22, 20), (30, 28)):  # never enlarged, but for the least size of the network
        assert chosen(replace(digits, short_sides=(side, side, side)))["image.size"] == size
    letters = chosen(replace(digits, short_sides=(28, 28, 28)))
    assert (letters["augment.horizontal_flip"], letters["model.average"], letters["image.size"]) == (False, "none", 28)


@pytest.mark.parametrize(
    ("pictures", "memory", "batch"), [(60_000, 16e9, 500), (2_000, 16e9, 64), (200, 16e9, 16), (60_000, 2e8, 52)]
)
def test_batches_follow_the_number_of_pictures_and_the_memory(pictures: int, memory: float, batch: int) -> None:
    facts = replace(CIFAR, classes=dict.fromkeys("ab", pictures // 2), splits={})
    assert chosen(facts, memory=int(memory))["train.batch_size"] == pytest.approx(batch, abs=60 if batch > 100 else 0)


def test_memory_of_the_machine_limits_no_gpu() -> None:
    assert chosen(CIFAR, memory=200_000_000, gpus=1)["train.batch_size"] > 400


def test_shares_balance_and_limits() -> None:
    values = {choice.key: choice.value for choice in choose_data(CIFAR)}
    assert (values["split.validation"], values["balance.method"]) == (0.02, "none")
    assert split_sizes(CIFAR) == {"train": 49_000, "validation": 1_000, "test": 10_000}
    uneven = replace(PLAIN, classes={"a": 2000, "b": 20, "c": 4})
    values = {choice.key: choice.value for choice in choose_data(uneven)}
    assert (values["balance.method"], values["validate.max_imbalance"]) == ("class_weight", 600)
    table = replace(PLAIN, columns={"path": "file", "label": "kind", "split": "", "group": "", "attributes": []})
    assert {choice.key for choice in choose_data(table)} >= {"ingest.columns.path", "ingest.columns.label"}


def test_the_smallest_picture_decides_the_least_side() -> None:
    found = {choice.key: choice for choice in choose_data(replace(PLAIN, smallest_side=4))}
    assert found["validate.min_side"].value == 4
    assert found["validate.min_side"].reason == "the smallest picture of a sample has a side of 4 pixels"
    assert "validate.min_side" not in {choice.key for choice in choose_data(replace(PLAIN, smallest_side=8))}


def test_reasons_are_of_the_rule_that_decides() -> None:
    few = replace(PLAIN, classes=dict.fromkeys("ab", 60))
    found = {choice.key: choice for choice in choose(few, machine(weights=("MobileNet",)), 10, RECIPES)}
    assert found["train.precision"].reason == "bfloat16, which is fast on this machine"
    assert found["image.size"].reason.startswith("pixels, for which the weights were trained; shorter sides")
    robust = found["evaluate.robustness.pictures"]
    assert robust.value == split_sizes(few)["test"] == 24 and robust.reason.startswith("24 test pictures, ")
    slow = choose(few, machine(300, ("MobileNet",)), 1, RECIPES)
    size = next(choice for choice in slow if choice.key == "image.size")
    assert (size.value, size.reason.split(";")[0]) == (128, "pixels: smaller is faster, and the time is short")


def test_the_memory_is_that_of_the_machine_at_most() -> None:
    assert 1e8 < usable_memory() < 1e14


def test_the_docs_show_the_rules_and_the_rules_name_every_key_that_does_not_come_from_a_recipe() -> None:
    text = (ROOT / "docs" / "begin.md").read_text(encoding="utf-8")
    lines = text.split("| fact | choice | why | gain |\n")[1].split("\n\n")[0].splitlines()
    assert [tuple(line.strip("| ").split(" | ")) for line in lines[1:]] == list(ROWS)
    found = choose(PLAIN, machine(weights=("MobileNet",)), 10, RECIPES)
    own = {choice.key for choice in found if not choice.reason.startswith("as in the recipe")}
    named = {key for row in ROWS for key in row[1].split("`")[1::2]}
    assert own <= named
