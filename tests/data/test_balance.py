from collections import Counter
from typing import Any, Literal

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from darkroom.balance.balance import balance_training, class_weights, surplus_reasons
from darkroom.params.data import Balance

SIZES = st.dictionaries(st.sampled_from("abcd"), st.integers(1, 30), min_size=1)
CAP, SEED = st.integers(0, 20), st.integers(0, 3)
Method = Literal["none", "undersample", "oversample", "class_weight"]
FEW = settings(max_examples=30, deadline=None)  # pandas takes its time


def rows_of(sizes: dict[str, int]) -> pd.DataFrame:
    names = [(f"{label}{number:03}", label) for label, size in sizes.items() for number in range(size)]
    return pd.DataFrame(names, columns=["image_id", "label"]).astype("str")


def params_of(method: Method, cap: int = 0, seed: int = 0, scope: Literal["train", "all"] = "train") -> Balance:
    return Balance(method=method, scope=scope, cap=cap, seed=seed)


@FEW
@given(SIZES, CAP, SEED)
def test_oversampling_brings_every_class_to_the_largest_with_whole_repeats(sizes: Any, cap: Any, seed: Any) -> None:
    rows = rows_of(sizes)
    found = balance_training(rows, params_of("oversample", cap, seed))
    capped = {label: min(size, cap or size) for label, size in sizes.items()}
    for label, copies in found["copies"].groupby(rows["label"]):
        assert copies.sum() == max(capped.values())
        used = copies[copies > 0]
        assert len(used) == capped[label] and used.max() - used.min() <= 1
    assert (found["weight"] == 1).all()


@FEW
@given(SIZES, CAP, SEED)
def test_undersampling_and_the_cap_leave_even_numbers(sizes: Any, cap: Any, seed: Any) -> None:
    rows = rows_of(sizes)
    found = balance_training(rows, params_of("undersample", cap, seed))
    limit = min([*sizes.values(), cap or 1000])
    assert set(found["copies"]) <= {0, 1}
    assert found["copies"].groupby(rows["label"]).sum().to_dict() == dict.fromkeys(sizes, limit)
    reasons = surplus_reasons(rows, params_of("undersample", cap, seed, "all"))
    assert (reasons.isna() == (found["copies"] == 1)).all()


@FEW
@given(SIZES, CAP)
def test_class_weights_make_every_class_count_alike(sizes: Any, cap: Any) -> None:
    rows = rows_of(sizes)
    found = balance_training(rows, params_of("class_weight", cap))
    used = found[found["copies"] == 1]
    assert used["weight"].mean() == pytest.approx(1)
    assert found["copies"].groupby(rows["label"]).sum().to_dict() == {k: min(v, cap or v) for k, v in sizes.items()}
    sums = used["weight"].groupby(rows["label"]).sum()
    assert sums.tolist() == pytest.approx([sums.iloc[0]] * len(sums))


def test_a_weight_is_that_of_the_formula() -> None:
    assert class_weights(pd.Series(list("aaab"))).tolist() == pytest.approx([4 / 6, 4 / 6, 4 / 6, 2])


def test_what_is_too_many_says_why() -> None:
    reasons = surplus_reasons(rows_of({"a": 9, "b": 6, "c": 5}), params_of("none", 6, scope="all"))
    assert Counter(reasons.dropna()) == {"over the cap": 3}
    reasons = surplus_reasons(rows_of({"a": 9, "b": 6, "c": 5}), params_of("undersample", 8, scope="all"))
    assert Counter(reasons.dropna()) == {"undersampled": 5}
    reasons = surplus_reasons(rows_of({"a": 9, "b": 6, "c": 5}), params_of("undersample", 3, scope="all"))
    assert Counter(reasons.dropna()) == {"undersampled": 5, "over the cap": 6}


def test_nothing_is_balanced_in_training_that_was_before() -> None:
    found = balance_training(rows_of({"a": 9, "b": 2}), params_of("undersample", 3, scope="all"))
    assert (found["copies"] == 1).all() and (found["weight"] == 1).all()


def test_the_seed_decides_and_the_order_of_rows_does_not() -> None:
    rows = rows_of({"a": 40, "b": 7})
    for method in ("undersample", "oversample"):
        one, again, other = (balance_training(rows, params_of(method, 20, seed))["copies"] for seed in (0, 0, 1))
        assert one.equals(again) and not one.equals(other)
        shuffled = balance_training(rows.sample(frac=1, random_state=0), params_of(method, 20, 0))["copies"]
        assert shuffled.sort_index().equals(one)
