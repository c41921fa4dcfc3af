"""comparisons/NAME.yaml: the ready ones are possible, and a mistake is one line."""

import shutil
from pathlib import Path

import pytest

from darkroom.core.errors import UserError
from darkroom.experiments.comparison_file import Comparison, comparison_names, read_comparison
from pictures import ROOT

READY = {"ablation": 4, "animals": 7, "cifar10-vgg": 4, "digits": 4, "impact": 17}  # name: rows
LEARNT = ("model.", "train.", "augment.", "image.", "finetune.")


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("workspace")
    shutil.copy(ROOT / "params.yaml", folder)
    for name in ("recipes", "comparisons"):
        shutil.copytree(ROOT / name, folder / name)
    return folder


def read(root: Path, text: str) -> Comparison:
    (root / "comparisons" / "mine.yaml").write_text(text, encoding="utf-8")
    return read_comparison(root, "mine")


def test_the_ready_comparisons_are_possible(root: Path) -> None:
    assert {name for name in comparison_names(root) if name != "mine"} == set(READY)
    for name, rows in READY.items():
        comparison = read_comparison(root, name)
        assert (len(comparison.variants), comparison.seeds) == (rows, 5)
        assert all(variant.differences for variant in comparison.variants[1:])


def test_the_last_step_of_the_ablation_is_the_whole_recipe(root: Path) -> None:
    final = read_comparison(root, "ablation").variants[-1].values()
    recipe = read_comparison(root, "impact").variants[0].values()
    assert {key: value for key, value in final.items() if key.startswith(LEARNT)} == {
        key: value for key, value in recipe.items() if key.startswith(LEARNT)
    }


def test_a_variant_takes_the_recipe_then_what_is_set_for_all_then_its_own(root: Path) -> None:
    text = "base: cifar10-vgg-a\nset: {train.epochs: 3, model: {dropout: 0.1}}\nmetric: log_loss\nseeds: 2\n"
    found = read(root, text + "variants:\n  b: {recipe: cifar10-vgg-b, model.dropout: 0.4}\n  nothing: {}\n")
    base, other, same = (variant.values() for variant in found.variants)
    assert (found.metric, found.seeds) == ("log_loss", 2) and read_comparison(root, "mine", 7).seeds == 7
    assert (base["train.epochs"], base["model.dropout"], base["model.filters"]) == (3, 0.1, [32, 64])
    assert (other["train.epochs"], other["model.dropout"], other["model.filters"]) == (3, 0.4, [32, 64, 128])
    assert same == base and found.variants[2].differences == {}


def test_the_filter_of_a_variant_keeps_what_it_does_not_name(root: Path) -> None:
    found = read(root, "base: {}\nvariants:\n  wide: {dedupe.filter.shape: landscape}\n")
    base, wide = found.variants
    assert base.filter is None and wide.filter == base.params.dedupe.filter.model_copy(update={"shape": "landscape"})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("base: {}", "mine.yaml: variants: missing"),
        ("base: {}\nvariants: {}", "mine.yaml: variants: dictionary should have at least 1 item"),
        ("base: {}\nvariant: {a: {}}", "mine.yaml: variant: unknown key; did you mean variants?"),
        ("base: {}\nseeds: 0\nvariants: {a: {}}", "mine.yaml: seeds: input should be greater than or equal to 1"),
        ("base: {}\nmetric: acuracy\nvariants: {a: {}}", "mine.yaml: metric: input should be 'accuracy'"),
        ("base: digit\nvariants: {a: {}}", "mine.yaml: base: no recipe 'digit'; did you mean digits?"),
        ("base: {}\nvariants: {base: {}}", "variants.base: is the name of what"),
        ("base: {}\nset: {recipe: digits}\nvariants: {a: {}}", "set.recipe: name the recipe of all as `base`"),
        ("base: {}\nvariants: {a: {recipe: smal}}", "variants.a: no recipe 'smal'; did you mean small?"),
        ("base: {}\nvariants: {a: {modl.norm: none}}", "a: modl.norm: a comparison may change model, train, augment"),
        ("base: {}\nvariants: {a: {split.seed: 1}}", "a: split.seed: a comparison may change model"),
        ("base: {}\nvariants: {a: {dedupe.near: false}}", "a: dedupe.near: of dedupe, a comparison may change filter"),
        ("base: {}\nvariants: {a: {model: 3}}", "a: model: must hold keys"),
        ("base: {}\nvariants: {a: {train.seed: 3}}", "a: train.seed: is the same for all variants; put it under `set`"),
        (
            "base: {}\nvariants: {a: {model.nrom: none}}",
            "variants.a: model.nrom: unknown key; did you mean model.norm?",
        ),
        ("base: {}\nvariants: {a: {model.dropout: 2}}", "variants.a: model.dropout = 2: "),
        ("base: {}\nvariants: {a: {image.size: 4}}", "variants.a: image.size = 4 is too small for model.architecture"),
        ("base: {}\nvariants: {a: }", "mine.yaml: variants.a: input should be a valid dictionary"),
        ("base: {}\nvariants: {a: {}, a: {}}", "mine.yaml: line 2, column 19 is not valid YAML"),
    ],
)
def test_a_mistake_is_one_line(root: Path, text: str, message: str) -> None:
    with pytest.raises(UserError) as raised:
        read(root, text)
    assert message in str(raised.value) and "\n" not in str(raised.value)


def test_an_unknown_comparison_names_the_nearest(root: Path) -> None:
    with pytest.raises(UserError, match="no comparison 'digts' in comparisons/; did you mean digits"):
        read_comparison(root, "digts")
