from copy import deepcopy
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from darkroom.core.errors import UserError
from darkroom.params.load import check_params, flatten, load_params, read_yaml
from defaults import default_params
from pictures import ROOT

LOG = {"low": 0.0, "high": 0.1, "log": True}
SPACE = "tune.space.train.learning_rate"
RAW = read_yaml(ROOT / "params.yaml")
# what a user wrote, and what the line that answers must say
MISTAKES: list[tuple[str, Any, list[str]]] = [
    ("train.learning_rat", 0.1, ["train.learning_rat:", "unknown", "train.learning_rate?"]),
    ("trian", {"epochs": 3}, ["trian:", "unknown", "mean train?"]),
    ("train.epochs", "ten", ["train.epochs = 'ten'", "integer"]),
    ("train.epochs", 1.5, ["train.epochs = 1.5", "integer"]),
    ("train.epochs", True, ["train.epochs = True", "integer"]),
    ("train.epochs", None, ["train.epochs = None", "integer"]),
    ("train.epochs", 0, ["train.epochs = 0", "greater than or equal to 1"]),
    ("train", [1], ["train = [1]", "must hold keys"]),
    ("train.learning_rate", float("nan"), ["train.learning_rate = nan", "finite"]),
    ("train.optimizer", "adamx", ["train.optimizer = 'adamx'", "'adam', 'adamw', 'sgd'"]),
    ("train.step_epochs", [5, 5], ["train:", "step_epochs [5, 5]", "must increase"]),
    ("split.validation", 1.0, ["split.validation = 1.0", "less than 1"]),
    ("split.validation", 0.9, ["split:", "validation + test is 1.1", "nothing is left"]),
    ("split.folds", 1, ["split:", "folds must be 0 (none) or at least 2"]),
    ("dedupe.group_by", "(a", ["dedupe.group_by: '(a' is not a regular expression"]),
    ("dedupe.group_by", "a", ["dedupe.group_by: 'a' has 0 groups", "exactly one"]),
    ("image.background", "whyte", ["image.background: 'whyte' is not a colour"]),
    ("validate.min_side", 50000, ["validate:", "min_side (50000)", "max_side (20000)"]),
    ("image.size", 7, ["image.size = 7", "model.filters", "at least 8"]),
    ("model.kernel", 0, ["model.kernel = 0", "greater than or equal to 1"]),
    ("model.kernel", [3, 0, 3], ["model.kernel.1 = 0", "greater than or equal to 1"]),
    ("model.weights", "../vgg16.h5", ["model:", "'../vgg16.h5'", "only the name of a file in data/weights/"]),
    ("model.kernel", "3", ["model.kernel = '3'", "integer"]),
    ("model.kernel", [3, 3], ["model:", "kernel [3, 3] has 2 numbers for 3 filters"]),
    (
        "model.architecture",
        "MobilNetV2",
        ["model.architecture: unknown architecture 'MobilNetV2'", "mean MobileNetV2?"],
    ),
    ("model.architecture", "VGG16", ["image.size = 16", "model.architecture VGG16", "at least 32"]),
    ("ensemble.architectures", ["conv", "ResNet50"], ["image.size = 16", "ResNet50", "at least 32"]),
    ("ensemble.architectures", ["conv", "conv"], ["ensemble.architectures names conv twice", "ensemble.seeds"]),
    ("model.filters", [8] * 21, ["image.size = 16", "at least 2097152"]),
    ("model.width", 0.02, ["model.width = 0.02", "greater than or equal to 0.05"]),
    ("train.schedule", "one_cycle", ["train:", "one_cycle", "set warmup to"]),
    ("model.weights", "Imagenet", ["model:", "weights = 'Imagenet'", "did you mean imagenet?"]),
    ("train.keep", "last", ["train:", "keep = 'last'", "set patience to 0"]),
    ("ensemble.folds", True, ["ensemble.folds", "split.folds"]),
    ("model.filters", [], ["model.filters = []: needs at least 1"]),
    ("model.dense", [8, 0], ["model.dense.1 = 0", "greater than or equal to 1"]),
    ("package.name", "a b", ["package.name = 'a b'", "pattern"]),
    ("package.gate.minimum", {"acuracy": 0.9}, ["package.gate.minimum: ", "no 'acuracy'; did you mean accuracy?"]),
    ("package.gate.minimum_low", {"recall": 0.9}, ["package.gate.minimum_low: ", "mean recall_macro?"]),
    ("package.gate.minimum", {"accuracy": 90.0}, ["package.gate.minimum: accuracy 90: no model reaches more than 1"]),
    ("package.gate.minimum", {"brier": -0.1}, ["package.gate.minimum: brier -0.1: must be at least 0"]),
    ("package.gate.slice_gap", 0, ["package.gate.slice_gap = 0", "greater than 0"]),
    ("tune.space", None, ["tune.space = None", "must hold keys"]),
    ("tune.space.trian", {"seed": {"choices": [1]}}, ["tune.space.trian: no section", "did you mean train?"]),
    ("tune.space.momentum", {"low": 0.1, "high": 0.5}, ["tune.space.momentum:", "write train: {momentum: ...}"]),
    ("tune.space", {"train.l2": {"low": 0.1, "high": 0.5}}, ["tune.space.train.l2:", "write train: {l2: ...}"]),
    ("tune.space.train.dropout", {"low": 0.1, "high": 0.5}, ["no such key in train; did you mean model.dropout?"]),
    ("tune.space.train.l2", {"low": 0, "high": 1}, ["tune.space.train.l2: low and high are whole", "write 0.0, or"]),
    ("tune.space.train.l2", {"low": 0.1, "high": 0.3, "step": 0.5}, ["step (0.5) must be above 0 and at most"]),
    ("tune.costs", ["kilobytes", "kilobytes"], ["tune: costs ['kilobytes', 'kilobytes'] names one twice"]),
    ("tune.space.train.epoch", {"low": 1, "high": 2}, ["tune.space.train.epoch:", "mean epochs?"]),
    (SPACE, 5, [f"{SPACE} = 5", "must hold keys"]),
    (SPACE, {"lo": 0.1, "high": 0.2}, [f"{SPACE}.lo: unknown", f"mean {SPACE}.low?"]),
    (SPACE, {"choice": [0.1]}, [f"{SPACE}.choice: unknown", f"mean {SPACE}.choices?"]),
    (SPACE, {"low": "a", "high": 0.2}, [f"{SPACE}.low = 'a'", "number"]),
    (SPACE, {"low": 0.2, "high": 0.1}, [f"{SPACE}:", "low (0.2) must be below high (0.1)"]),
    (SPACE, LOG, [f"{SPACE}:", "log needs low above 0"]),
    (SPACE, {"low": -1.0, "high": 0.1}, [f"{SPACE}: -1.0", "train.learning_rate", "greater than 0"]),
    (SPACE, {"choices": []}, [f"{SPACE}.choices = []", "at least 1"]),
    (SPACE, {"choices": [0.1, "x"]}, [f"{SPACE}: 'x'", "train.learning_rate", "number"]),
    ("tune.space.train.batch_size", {"low": 1, "high": 9, "step": 0.5}, ["train.batch_size: 1.5", "integer"]),
    ("tune.space.train.epochs", {"low": 1, "high": 9}, ["tune.space.train.epochs", "tune.epochs"]),
    ("tune.space.train.small_epochs", {"low": 1, "high": 9}, ["tune.space.train.small_epochs", "tune.epochs"]),
    (
        "tune.space.model.weights",
        {"choices": ["none"]},
        ["tune.space.model.weights", "cannot be searched (", "; remove it"],
    ),
    ("ingest.source", "s3:/pictures", ["ingest.source: is no address like s3://bucket/folder"]),
    ("ingest.source", " s3://b/pets", ["ingest.source: is no address like s3://bucket/folder"]),
    ("ingest.source", "s3://", ["ingest.source: is no address like s3://bucket/folder"]),
    ("ingest.source", "s3://key:secret@pictures/pets", ["credentials belong in the environment"]),
    ("ingest.source", "https://example.com/pets", ["only s3, gs and az addresses are read in place; set"]),
    ("tune.space.finetune.epochs", {"low": 1, "high": 9}, ["tune.space.finetune.epochs", "tune.epochs"]),
    ("tune.space.image.depth", {"choices": [8]}, ["image.depth: cannot be searched (earlier stages", "remove it"]),
    ("tune.space.train.devices", {"choices": [1]}, ["train.devices: cannot be searched (it says how the machine"]),
    ("tune.space.image.size", {"low": 2, "high": 9}, ["tune.space.image.size: 2", "greater than or equal to 4"]),
    ("tune.space.image.background", {"choices": ["wite"]}, ["tune.space.image.background: 'wite'", "not a colour"]),
    ("tune.space.finetune.layers", {"low": 0, "high": 9}, ["tune.space.finetune.layers: 0", "greater than or eq"]),
    ("tune.space.train.seed", {"low": 0, "high": 9}, ["train.seed: cannot be searched (a lucky seed"]),
    ("tune.space.train.momentum", {"choices": [0.5, 0.5]}, ["choices names 0.5 twice"]),
    ("tune.space.model.kernel", {"low": 3, "high": 70}, ["tune.space.model.kernel: 70", "less than or equal to 31"]),
    ("tune.space.model.filters", {"choices": [[8], [8] * 6]}, ["tune.space.model.filters: [8, 8, 8", "at least 64"]),
]


@pytest.fixture
def raw() -> Any:
    values = deepcopy(RAW)
    for key, value in {
        "split.test": 0.2,
        "validate.max_side": 20000,
        "image.size": 16,
        "model.filters": [8] * 3,
    }.items():
        put(values, key, value)
    return values


def put(raw: dict[str, Any], key: str, value: Any) -> None:
    *folders, name = key.split(".")
    for folder in folders:
        raw = raw.setdefault(folder, {})
    raw[name] = value


def test_the_committed_file_is_right() -> None:
    assert flatten(load_params(ROOT / "params.yaml"))["tracking.experiment"]


@pytest.mark.parametrize(("key", "value", "said"), MISTAKES, ids=[f"{key}={value}"[:40] for key, value, _ in MISTAKES])
def test_a_mistake_is_one_line_with_key_value_file_and_help(raw: Any, key: str, value: Any, said: list[str]) -> None:
    put(raw, key, value)
    with pytest.raises(UserError) as caught:
        check_params(raw, "params.yaml")
    text = str(caught.value)
    assert text.startswith("params.yaml: ") and "\n" not in text and caught.value.status == 2
    assert [part for part in said if part not in text] == [], text
    assert "Range" not in text and "[" not in text.split(" ")[1], text


def test_only_some_backbones_can_be_narrower(raw: Any) -> None:
    for key, value in {"model.architecture": "ResNet50", "image.size": 64, "model.width": 0.5}.items():
        put(raw, key, value)
    with pytest.raises(UserError, match=r"model: width \(0.5\) works with MobileNet and MobileNetV2 only; set it to 1"):
        check_params(raw, "params.yaml")


def test_every_architecture_of_an_ensemble_is_checked(raw: Any) -> None:
    for key, value in {"model.architecture": "MobileNet", "image.size": 64, "model.width": 0.5}.items():
        put(raw, key, value)
    put(raw, "ensemble.architectures", ["MobileNetV2", "ResNet50"])
    with pytest.raises(UserError, match=r"ensemble.architectures: ResNet50: width \(0.5\) works with"):
        check_params(raw, "params.yaml")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"model.weights": "mine.h5"}, "model.weights = mine.h5: fits only one of"),
        (
            {"model.weights": "imagenet", "finetune.epochs": 1, "finetune.layers": "conv_1"},
            "finetune.layers = conv_1: give",
        ),
    ],
)
def test_what_fits_one_backbone_is_not_given_to_several(raw: Any, changes: dict[str, Any], said: str) -> None:
    put(raw, "image.size", 64)
    put(raw, "ensemble.architectures", ["MobileNetV2", "ResNet50"])
    for key, value in changes.items():
        put(raw, key, value)
    with pytest.raises(UserError, match=said):
        check_params(raw, "params.yaml")


@settings(max_examples=200)
@given(
    st.lists(st.tuples(*[st.integers(1, high) for high in (7, 3, 4)]), min_size=1, max_size=5),
    st.sampled_from(["same", "valid"]),
)
def test_the_smallest_side_leaves_one_pixel(blocks: list[tuple[int, ...]], padding: str) -> None:
    kernel, stride, pool = (list(column) for column in zip(*blocks, strict=True))
    section = {"filters": [8] * len(blocks), "kernel": kernel, "stride": stride, "pool": pool, "padding": padding}
    least = default_params().model.model_copy(update=section).smallest_side()
    for side, left in ((least, True), (least - 1, False)):
        for kernel_, stride_, pool_ in blocks:
            side = -(-side // stride_) if padding == "same" else (side - kernel_) // stride_ + 1
            side //= pool_
        assert (side >= 1) == left


def test_the_fold_must_exist(raw: Any) -> None:
    put(raw, "split.folds", 5)
    put(raw, "split.fold", 5)
    with pytest.raises(UserError, match=r"split: fold \(5\) must be 0 to 4"):
        check_params(raw, "params.yaml")


@pytest.mark.parametrize("key", ["train", "train.epochs", "tune.space", "model.dropout"])
def test_a_missing_key_is_named(raw: Any, key: str) -> None:
    section, _, name = key.partition(".")
    del (raw[section] if name else raw)[name or section]
    with pytest.raises(UserError, match=rf"^params.yaml: {key}: missing"):
        check_params(raw, "params.yaml")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("train: [1\n", "line 2, column 1 is not valid YAML"),
        ("train: {}\ntrain: {}\n", 'line 2, column 1 is not valid YAML: found duplicate key "train"'),
        ("train: [1", "is not valid YAML: did not find expected ',' or ']'"),
        ("a: 1\n---\nb: 2\n", "not valid YAML"),
        ("train:\n\tepochs: 3\n", "line 2, column 1 is not valid YAML: found a tab; use spaces"),
        ("", "has no sections"),
        ("- 1\n", "has no sections"),
    ],
)
def test_a_file_that_is_no_yaml_is_said_in_one_line(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "params.yaml"
    file.write_text(text)
    with pytest.raises(UserError) as caught:
        load_params(file)
    assert str(caught.value).startswith("params.yaml: ") and said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_file_and_one_of_other_bytes_are_said(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"params.yaml: not found"):
        load_params(tmp_path / "params.yaml")
    (tmp_path / "params.yaml").write_bytes(b"\xff\xfe")
    with pytest.raises(UserError, match=r"params.yaml: is not UTF-8"):
        load_params(tmp_path / "params.yaml")


def test_1e_3_is_a_number(tmp_path: Path) -> None:
    text = (ROOT / "params.yaml").read_text(encoding="utf-8")
    changed = [
        f"  {line.split(':')[0].strip()}: 1e-3" if line.startswith("  learning_rate:") else line
        for line in text.splitlines()
    ]
    (tmp_path / "params.yaml").write_text("\n".join(changed))
    assert load_params(tmp_path / "params.yaml").train.learning_rate == 0.001
