"""The filter and the order of `darkroom runs`."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from darkroom.core.errors import UserError
from darkroom.experiments.chosen import chosen_rows
from darkroom.experiments.rows import FACTS, Row, columns_of
from darkroom.experiments.where import OPERATORS, parse
from darkroom.tracking.headlines import HEADLINES


def row(name: str, *scores: float, **params: Any) -> Row:
    metrics = dict(zip(("test_accuracy", "test_log_loss"), scores, strict=False))
    facts = dict.fromkeys(FACTS, "") | {"name": name, "started": f"2026-11-0{len(name)} 10:00:00", "status": "finished"}
    return Row(facts, metrics, {key.replace("__", "."): str(value) for key, value in params.items()})


ROWS = [
    row("conv", 0.9, 0.5, train__optimizer="adam", train__learning_rate=1e-3, model__norm=None, image__size=16),
    row("dense", 0.95, 0.2, train__optimizer="SGD", train__learning_rate=1e-2, model__norm="batch", image__size=16),
    row("my net", 0.8, train__optimizer="adam", train__learning_rate=5e-3, image__size=16),
]
KNOWN = list(dict.fromkeys(key for each in ROWS for key in each.values))


@pytest.mark.parametrize(
    ("where", "found"),
    [
        ("", ["conv", "dense", "my net"]),
        ("test accuracy > 0.85", ["conv", "dense"]),
        ("TEST_accuracy>=.9", ["conv", "dense"]),
        ("test accuracy = 0.90", ["conv"]),
        ("train.learning_rate <= 0.005", ["conv", "my net"]),
        ("train.optimizer == sgd", ["dense"]),
        ("train.optimizer != adam", ["dense"]),
        ("model.norm = null", ["conv"]),
        ("model.norm = ''", ["my net"]),
        ("model.norm != batch", ["conv", "my net"]),
        ("test_log_loss < 1", ["conv", "dense"]),
        ("name = my net", ["my net"]),
        ("name contains 'N'", ["conv", "dense", "my net"]),
        ('"name" contains "y n"', ["my net"]),
        ("started >= 2026-11-05", ["dense", "my net"]),
        ("name = conv or name = dense and test accuracy > 1", ["conv"]),
        ("(name = conv or name = dense) and test accuracy > 0.92", ["dense"]),
        ("((name=conv) OR (name contains ')'))", ["conv"]),
        ("test_accuracy = high", []),
    ],
)
def test_a_filter_chooses(where: str, found: list[str]) -> None:
    assert [each.facts["name"] for each in chosen_rows(ROWS, where, "").rows] == found


@pytest.mark.parametrize(
    ("where", "found"),
    [
        ("model.filters = [16,32]", ["conv"]),
        ("model.filters = [16, 32]", ["conv"]),
        ("model.filters contains '6,32'", ["conv", "dense"]),
        ("ensemble.architectures = [conv,dense]", ["conv"]),
        ("ensemble.architectures = '[ conv, dense ]'", ["conv"]),
    ],
)
def test_lists_are_found_with_and_without_spaces(where: str, found: list[str]) -> None:
    first = row("conv", model__filters=[16, 32], ensemble__architectures=["conv", "dense"])
    rows = [first, row("dense", model__filters=[16, 32, 64], ensemble__architectures=[])]
    assert [each.facts["name"] for each in chosen_rows(rows, where, "").rows] == found


@pytest.mark.parametrize(
    ("where", "message"),
    [
        ("test acuracy > 0.9", "--where: no run has 'test acuracy'; did you mean test_accuracy?"),
        ("learning_rate > 0.9", "--where: no run has 'learning_rate'; did you mean train.learning_rate?"),
        ("test accuracy", "--where: the end stands where an operator is expected; as in 'test accuracy > 0.9 and "),
        ("> 0.9", "--where: > stands where a key is expected; as in"),
        ("test accuracy > high", "--where: test_accuracy > high: 'high' is not a number; = and contains compare texts"),
        ("test accuracy >", "--where: test_accuracy > needs a value"),
        ("name = a = b", "--where: '=' is not expected here; join comparisons by and, or"),
        ("(name = a", "--where: a parenthesis is not closed"),
        ("name = 'a", '--where: "\'a" cannot be read; a quote is open'),
        ("(" * 1000, "--where: more than 50 parentheses within each other"),
    ],
)
def test_a_mistake_in_a_filter_is_one_line(where: str, message: str) -> None:
    with pytest.raises(UserError) as raised:
        chosen_rows(ROWS, where, "")
    assert str(raised.value).startswith(message) and "\n" not in str(raised.value)


WORDS = st.sampled_from([*KNOWN, *OPERATORS, "and", "or", "(", ")", "'", '"', "0.9", "-1e400", "nan", "test accuracy"])


@settings(max_examples=60)
@given(st.one_of(st.text(), st.lists(WORDS | st.text(max_size=3)).map(" ".join)))
def test_any_text_is_a_filter_or_a_users_error(text: str) -> None:
    try:
        condition = parse(text, KNOWN)
    except UserError as error:
        assert str(error).startswith("--where: ")
    else:
        assert {condition.holds(each.values) for each in ROWS} <= {True, False}


@pytest.mark.parametrize(
    ("sort", "found"),
    [
        ("test accuracy", ["dense", "conv", "my net"]),
        ("-test_accuracy", ["my net", "conv", "dense"]),
        ("test_log_loss", ["dense", "conv", "my net"]),  # the lower the better; what has none comes last
        ("-test_log_loss", ["conv", "dense", "my net"]),
        ("train.learning_rate", ["conv", "my net", "dense"]),
        ("-train.learning_rate", ["dense", "my net", "conv"]),
        ("started", ["my net", "dense", "conv"]),
        ("name", ["conv", "dense", "my net"]),
    ],
)
def test_rows_are_sorted_the_best_first(sort: str, found: list[str]) -> None:
    assert [each.facts["name"] for each in chosen_rows(ROWS, "", sort).rows] == found


@pytest.mark.parametrize(
    ("sort", "found"),
    [("finetune.layers", ["5", "20", "all", "top", ""]), ("-finetune.layers", ["20", "5", "top", "all", ""])],
)
def test_numbers_come_before_texts_in_both_directions_and_what_is_missing_last(sort: str, found: list[str]) -> None:
    rows = [row("without"), *(row(value, finetune__layers=value) for value in ("all", "20", "top", "5"))]
    assert [each.params.get("finetune.layers", "") for each in chosen_rows(rows, "", sort).rows] == found


def test_an_unknown_key_to_sort_by_is_one_line() -> None:
    with pytest.raises(UserError, match=r"^--sort: no run has 'accuracy'; did you mean test_accuracy\?$"):
        chosen_rows(ROWS, "", "-accuracy")


def test_only_parameters_that_differ_are_columns() -> None:
    params = ["train.learning_rate", "train.optimizer", "model.norm"]  # what a row lacks comes last
    assert columns_of(ROWS) == ["name", "started", "test_accuracy", "test_log_loss", *params]
    assert columns_of(ROWS[:1]) == ["name", "started", "test_accuracy", "test_log_loss"]
    searched = [*ROWS, row("searched", tune__trials=3)]
    assert "tune.trials" not in columns_of(searched) and columns_of(searched, ["tune.trials"])[-1] == "tune.trials"
    assert columns_of([searched[-1], row("other", tune__trials=4)])[-1] == "tune.trials"
    assert columns_of([]) == [] and set(HEADLINES).isdisjoint(FACTS)
