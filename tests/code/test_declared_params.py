import copy
import pickle

import pytest

from darkroom.core.errors import UserError
from darkroom.params.declared import DeclaredParams
from darkroom.params.load import Overlay, flatten, with_overlay
from darkroom.params.schema import AFTERWARDS, Params
from defaults import default_params


def test_a_stage_cannot_read_an_undeclared_section() -> None:
    params = DeclaredParams(default_params(), ["split"], "split")
    assert 0 < params.split.test < 1
    assert set(params.flat()) == {"split.validation", "split.test", "split.folds", "split.fold", "split.seed"}
    assert params.flat(["train"]) == {}
    with pytest.raises(AttributeError, match="'train' below split: params"):
        _ = params.train


def test_a_stage_that_declares_a_key_reads_nothing_else_of_its_section() -> None:
    params = DeclaredParams(default_params(), ["split", "image.depth"], "split")
    assert params.image.depth == "auto"
    assert set(params.flat(["image"])) == set(params.flat(["image.depth"])) == {"image.depth"}
    with pytest.raises(AttributeError, match="size"):
        _ = params.image.size


def test_an_overlay_changes_its_keys_only_and_is_checked() -> None:
    params = default_params()
    changed = with_overlay(params, {"train": {"learning_rate": 0.25}}, "best.yaml")
    before, after = flatten(params), flatten(changed)
    assert {key for key in before if before[key] != after[key]} == {"train.learning_rate"}
    overlaid = DeclaredParams(params, ["train"], "train").overlaid({"train": {"learning_rate": 0.25}}, "best.yaml")
    assert overlaid.train == changed.train
    mistakes: list[tuple[Overlay, str]] = [
        ({"trian": {}}, "best.yaml: trian: .*train"),
        ({"train": {"epochs": 0}}, "train.epochs = 0"),
    ]
    for wrong, said in mistakes:
        with pytest.raises(UserError, match=said):
            with_overlay(params, wrong, "best.yaml")


def test_every_section_is_typed_as_in_the_schema() -> None:
    params = default_params()
    pipeline = {name: field for name, field in Params.model_fields.items() if name not in AFTERWARDS}
    declared = DeclaredParams(params, list(pipeline), "all")
    for name, field in pipeline.items():
        assert vars(DeclaredParams)[name].section is field.annotation
        assert getattr(declared, name) is getattr(params, name)


def test_it_can_be_copied_and_sent_to_another_process() -> None:
    params = DeclaredParams(default_params(), ["split"], "split")
    for again in (copy.deepcopy(params), pickle.loads(pickle.dumps(params))):
        assert again.split == params.split
        with pytest.raises(AttributeError, match="'train' below split: params"):
            _ = again.train
