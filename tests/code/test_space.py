"""The space of a search: what may stand in it, what is drawn from it, and what a drawn combination trains with."""

import re
from typing import Any

import pytest
from ruamel.yaml import YAML

from darkroom.core.errors import UserError
from darkroom.params.declared import DeclaredParams
from darkroom.params.load import Overlay, check_params, flatten, load_params, read_yaml, with_overlay
from darkroom.params.schema import Params
from darkroom.params.search import Choices, Range
from darkroom.params.space import NOT_SEARCHED, in_order, inside
from darkroom.tune.space import distribution, drawn_from, recorded_overlay, suggest, trial_params
from easy import small_params
from pictures import ROOT

FILTERS = {"choices": [[8], [8] * 6]}  # six blocks need 64 pixels, params.yaml has 16
SPACE: dict[str, dict[str, Any]] = {
    "model": {
        "depth": {"low": 1, "high": 3, "when": {"model.architecture": ["residual"]}},
        "kernel": {"low": 2, "high": 5, "when": {"model.architecture": ["conv"]}},
        "architecture": {"choices": ["conv", "residual"]},
        "filters": {"choices": [[8], [8, 16]]},
        "dropout": {"low": 0.0, "high": 0.45, "step": 0.1},
    },
    "train": {
        "optimizer": {"choices": ["sgd", "adam", "muon"]},
        "momentum": {"choices": [0.0, 0.9], "when": {"train.optimizer": ["sgd", "muon"]}},
        "learning_rate": {"low": 1e-4, "high": 1e-2, "log": True},
        "batch_size": {"low": 8, "high": 64, "log": True},
        "ema": {"low": 0.9, "high": 0.99, "when": {"train.momentum": [0.9], "train.optimizer": ["sgd"]}},
    },
}


def with_space(space: dict[str, Any], **changes: dict[str, Any]) -> Params:
    raw = read_yaml(ROOT / "params.yaml")
    raw["model"]["filters"], raw["image"]["size"] = [8], 16
    for section, values in changes.items():
        raw[section].update(values)
    raw["tune"].update(enabled=True, space=space)
    return check_params(raw, "params.yaml")


def test_what_another_searched_key_makes_possible_is_no_mistake() -> None:
    sizes = {"choices": [16, 64]}
    assert with_space({"model": {"filters": FILTERS}, "image": {"size": sizes}})
    with pytest.raises(UserError, match=r"tune.space.model.filters: \[8, 8, .* give image.size at least 64"):
        with_space({"model": {"filters": FILTERS}, "image": {"size": {"choices": [16, 32]}}})
    with pytest.raises(UserError, match=r"tune.space.model.kernel: \[3, 3\] .* has 2 numbers for 1 filters"):
        with_space({"model": {"kernel": {"choices": [3, [3, 3]]}}, "image": {"size": sizes}})
    assert with_space({"model": {"kernel": {"choices": [3, [3, 3]]}, "filters": {"choices": [[8], [8, 8]]}}})
    cycle = {"choices": ["constant", "one_cycle"]}
    assert with_space({"train": {"schedule": cycle, "warmup": {"low": 0.0, "high": 1.0}}})  # between them
    with pytest.raises(UserError, match=r"tune.space.train.schedule: 'one_cycle' is not allowed"):
        with_space({"train": {"schedule": cycle}})


def test_a_number_and_the_same_as_text_are_not_both_choices() -> None:
    with pytest.raises(UserError, match=r"tune.space.finetune.layers: choices names 20 as a number and as a text"):
        with_space({"finetune": {"layers": {"choices": [10, 20, "20"]}}})
    with pytest.raises(UserError, match=r"tune.space.finetune.layers: choices names 20.0 twice"):
        with_space({"finetune": {"layers": {"choices": [20, 20.0]}}})


def test_a_value_is_judged_where_its_condition_holds() -> None:
    wide = {"choices": [0.5, 1.0], "when": {"model.architecture": ["MobileNet"]}}
    space = {"architecture": {"choices": ["MobileNet", "ResNet50"]}, "width": wide}
    own: dict[str, dict[str, Any]] = {"model": {"architecture": "ResNet50"}, "image": {"size": 64}}
    assert with_space({"model": space}, **own)
    wide["when"] = {"model.architecture": ["ResNet50"]}
    with pytest.raises(UserError, match=r"tune.space.model.width: 0.5 is not allowed for model.width: width \(0.5\)"):
        with_space({"model": space}, **own)


@pytest.mark.parametrize(
    ("section", "key", "when", "said"),
    [
        ("model", "depth", {"model.architectur": ["residual"]}, "no such key: model.architectur; did you mean model.a"),
        ("model", "depth", {"architecture": ["residual"]}, "no such key: architecture; did you mean model.architect"),
        (
            "model",
            "depth",
            {"model.architecture": ["residual"]},
            "never residual: in params.yaml it is conv, and",
        ),
        ("model", "depth", {"model.architecture": []}, "model.architecture is never one of no values"),
        ("train", "momentum", {"train.optimizer": ["sgd", "adma"]}, "never adma: in params.yaml it is adam, nor does"),
        ("train", "optimizer", {"train.optimizer": ["sgd"]}, "train.optimizer -> train.optimizer wait for each other"),
    ],
)
def test_a_condition_that_cannot_be_is_one_line(section: str, key: str, when: dict[str, Any], said: str) -> None:
    optimizer = {"choices": ["adam", "sgd"]}
    values = {"low": 1, "high": 3} if key == "depth" else {"choices": ["sgd"] if key == "optimizer" else [0.0, 0.5]}
    space: dict[str, Any] = {"train": {"optimizer": optimizer}}
    space.setdefault(section, {})[key] = {**values, "when": when}
    with pytest.raises(UserError) as caught:
        with_space(space)
    text = str(caught.value)
    assert text.startswith(f"params.yaml: tune.space.{section}.{key}: when: ") and said in text and "\n" not in text


def test_a_grid_needs_steps() -> None:
    fractions = {"train": {"momentum": {"low": 0.1, "high": 0.5}}}
    assert with_space(fractions)
    with pytest.raises(UserError, match=r"tune.space.train.momentum: a grid needs steps; give it a step or choices"):
        with_space(fractions, tune={"sampler": "grid"})


def test_conditions_that_wait_for_each_other_are_named() -> None:
    space = {"depth": {"low": 1, "high": 3, "when": {"model.width": [1.0]}}}
    space["width"] = {"low": 0.5, "high": 1.0, "when": {"model.depth": [2]}}
    with pytest.raises(UserError, match=r"when: (model.\w+ -> ){2}model.\w+ wait for each other"):
        with_space({"model": space})


def test_keys_are_drawn_where_their_conditions_hold() -> None:
    import optuna

    params = with_space(SPACE)
    tune, own = params.tune, flatten(params)
    names, seen = dict(in_order(tune)), set[str]()
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    for _ in range(40):
        trial = study.ask()
        overlay = suggest(trial, tune, own)
        drawn = {f"{section}.{key}": value for section, keys in overlay.items() for key, value in keys.items()}
        seen |= {f"{section}.{key}" for section, keys in overlay.items() for key in keys}
        assert ("model.depth" in drawn) == (drawn["model.architecture"] == "residual") != ("model.kernel" in drawn)
        assert ("train.momentum" in drawn) == (drawn["train.optimizer"] != "adam")
        momentum = drawn.get("train.momentum", own["train.momentum"])  # params.yaml's, which is 0.9
        assert ("train.ema" in drawn) == (drawn["train.optimizer"] == "sgd" and momentum == 0.9)
        assert all(inside(names[name], value) for name, value in drawn.items())
        assert trial.distributions == {name: distribution(names[name]) for name in drawn}
        assert recorded_overlay(trial.params, tune) == overlay
        assert drawn_from(tune, own | drawn) == pytest.approx(trial.params)
        with_overlay(params, overlay, "params.yaml")
    assert seen == names.keys()


def test_values_of_params_yaml_outside_the_space_are_none_that_was_drawn() -> None:
    params = with_space({"train": {"learning_rate": {"low": 0.1, "high": 0.2}, "optimizer": {"choices": ["adam"]}}})
    assert drawn_from(params.tune, flatten(params)) == {}


@pytest.mark.parametrize(
    ("values", "within", "without"),
    [
        (Range(low=2, high=9, step=3), [2, 5, 8], [3, 9, 5.5, True, [2], "2"]),
        (Range(low=0.1, high=0.55, step=0.1), [0.1, 0.3, 0.5], [0.55, 0.25, 0.6]),
        (Range(low=1, high=3), [1, 2, 3], [0, 2.5]),
        (Range(low=1.0, high=3.0), [1, 2.5, 3.0], [0.9, None]),
        (Choices(choices=[[8], 3, "a"]), [[8], 3, "a"], [8, [3], "b"]),
    ],
)
def test_what_is_inside_is_what_can_be_drawn(values: Any, within: list[Any], without: list[Any]) -> None:
    assert all(inside(values, value) for value in within) and not any(inside(values, value) for value in without)


def test_the_parts_of_a_training_shrink_with_it_and_other_drawn_values_stay() -> None:
    own: Overlay = {"train": {"epochs": 30, "small_epochs": 10, "step_epochs": [1, 15, 24]}, "tune": {"epochs": 6}}
    more: Overlay = {"finetune": {"epochs": 7, "layers": 20}, "model": {"head": "average"}, "image": {"size": 32}}
    params = with_overlay(load_params(ROOT / "params.yaml"), {**own, **more}, "test")
    declared = DeclaredParams(params, list(type(params).model_fields), "tune")
    overlay = {"train": {"batch_size": 7}, "finetune": {"layers": 5}, "image": {"size": 48}}
    short = trial_params(declared, overlay)
    assert (short.train.epochs, short.train.small_epochs, short.train.step_epochs) == (6, 2, [3, 4])
    assert (short.train.batch_size, short.image.size) == (7, 48)
    assert (short.finetune.layers, short.finetune.epochs) == (5, 2)
    stepped = trial_params(declared, {"train": {"step_epochs": [10, 20]}})
    assert stepped.train.step_epochs == [2, 4]  # as it will be in the whole training


def test_a_combination_that_cannot_be_is_refused_with_its_reason() -> None:
    params = with_space({"model": {"filters": FILTERS}, "image": {"size": {"choices": [16, 64]}}})
    declared = DeclaredParams(params, list(type(params).model_fields), "tune")
    assert trial_params(declared, {"model": {"filters": [8] * 6}, "image": {"size": 64}})
    with pytest.raises(UserError, match=r"image.size = 16 is too small .* give image.size at least 64"):
        trial_params(declared, {"model": {"filters": [8] * 6}, "image": {"size": 16}})


def test_what_the_whole_training_refuses_no_trial_may_have() -> None:
    small = {"epochs": 30, "small_epochs": 4, "small_size": 24}  # of 6 epochs none would be on small pictures
    declared = small_params(image={"size": 32}, train=small, model={"head": "average"}, tune={"epochs": 6})
    with pytest.raises(UserError, match=r"train.small_size = 24: must be 27 to 31"):
        trial_params(declared, {"model": {"filters": [8, 16, 32], "pool": 3}})


def test_the_example_of_the_documentation_is_right() -> None:
    [example] = re.findall(r"```yaml\n(.*?)```", (ROOT / "docs/search.md").read_text(encoding="utf-8"), re.DOTALL)
    raw = YAML(typ="safe").load(example)
    params = with_space(raw["tune"]["space"])
    assert [name for name, values in in_order(params.tune) if values.when] == [
        "model.block_dropout",
        "model.depth",
        "model.kernel",
        "train.momentum",
    ]


def test_every_reason_why_a_key_is_not_searched_is_documented() -> None:
    text = (ROOT / "docs/search.md").read_text(encoding="utf-8").split("These keys cannot be searched:")[1]
    assert [name for name in NOT_SEARCHED if f"`{name}`" not in text.split("**")[0]] == []
