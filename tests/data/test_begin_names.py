"""Patterns in file names and spellings of classes: what `darkroom begin` proposes, and where it must stay silent."""

import random
import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from darkroom.begin.class_names import propose_for_classes
from darkroom.begin.group_pattern import MAX_SHARE, MIN_GROUPS, propose_groups
from darkroom.curation.groups import group_keys

chance = random.Random(0)


def hexadecimal(digits: int) -> str:
    return f"{chance.getrandbits(4 * digits):0{digits}x}"


def ids(count: int, form: str) -> list[str]:
    """Return the beginnings of `count` paths: a class, and an id made of a number or of a random text."""
    return [f"{'ab'[number % 2]}/{form.format(number, hexadecimal(8))}" for number in range(count)]


GROUPED = {  # kind -> beginnings, ends of each path
    "a patient": (ids(30, "patient{}"), ["_0.png", "_1.png", "_2.png"]),
    "frames of a video": (ids(20, "IMG_{:04d}"), [f"_frame{n:03d}.jpg" for n in range(0, 90, 9)]),
    "folders": (ids(20, "subject-{:02d}"), ["/DSC0012.jpg", "/other.jpg"]),
    "folders of folders": (ids(40, "patient{:05d}"), ["/study1/view.jpg", "/study2/view.jpg"]),
    "numbers alone": (ids(40, "{:08d}"), ["_000.png", "_001.png"]),
    "no separator": (ids(30, "p{}"), ["s1.png", "s2.png", "s3.png"]),
    "random ids": (ids(50, "{1}"), ["_1.png", "_2.png"]),
    "letters that differ": (ids(40, "SOB_B_A-14-22{:03d}AB"), ["-40-001.png", "-40-002.png", "-100-001.png"]),
    "words behind": (ids(30, "subject{:02d}"), [".happy.gif", ".sad.gif", ".wink.gif"]),
}
PLAIN = {
    "counters": [f"{label}/{n:04d}.jpg" for label in "ab" for n in range(300)],
    "class and counter": [f"{label}/{label}.{n}.jpg" for label in "ab" for n in range(300)],
    "counter and class": [f"{label}/{n}_{label}.jpg" for label in "ab" for n in range(300)],
    "synset and counter": [f"{label}/n0144076{label}_{n}.JPEG" for label in "12" for n in range(300)],
    "the same names in each class": [f"{label}/image_{n:04d}.jpg" for label in "abcdefgh" for n in range(80)],
    "a counter and a size": [f"{head}_640.jpg" for head in ids(300, "{}")],
    "Flickr": [f"{head}_{hexadecimal(10)}_m.jpg" for head in ids(300, "{}{:.5}")],
    "random": [f"{head}.jpg" for head in ids(300, "{1}")],
    "random with dashes": [f"{head}-{hexadecimal(4)}-{hexadecimal(12)}.jpg" for head in ids(300, "{1}")],
    "age, sex and time": [f"{head}_{n % 2}_2017{hexadecimal(9)}.jpg" for n, head in enumerate(ids(90, "{}") * 5)],
    "CIFAR's batches": [f"data_batch_{n % 5}/a/{n // 5:05d}_tabby_s_{n * 7 % 2300:06d}.png" for n in range(1000)],
    "nothing": [],
}


def labels_of(paths: list[str]) -> list[str]:
    return [path.split("/")[0] for path in paths]


def groups_by(paths: list[str], expression: str) -> list[str]:
    """Return the group of each path as `dedupe` sees it."""
    return group_keys(pd.Series(paths, dtype="str"), expression).tolist()


@pytest.mark.parametrize("kind", GROUPED)
def test_names_that_share_an_id_are_grouped_by_it(kind: str) -> None:
    heads, tails = GROUPED[kind]
    paths = [head + tail for head in heads for tail in tails]
    found = propose_groups(paths, labels_of(paths))
    assert found and found.key == "dedupe.group_by" and re.compile(found.value).groups == 1
    groups = groups_by(paths, found.value)
    assert pd.factorize(np.array(groups))[0].tolist() == [row for row in range(len(heads)) for _ in tails]


def test_numbers_drawn_anew_for_each_id_are_found_and_so_are_copies_by_roboflow() -> None:
    frames = [f"{head}-{chance.randint(0, 999)}.jpg" for head in ids(60, "v{}") for _ in range(9)]
    copies = [f"{head}_jpg.rf.{hexadecimal(32)}.jpg" for head in ids(50, "IMG_{:04d}") for _ in range(3)]
    for paths, count in ((frames, 60), (copies, 50)):
        found = propose_groups(paths, labels_of(paths))
        assert found and len(set(groups_by(paths, found.value))) == count


@pytest.mark.parametrize("kind", PLAIN)
def test_plain_names_are_left_alone(kind: str) -> None:
    labels = ["a", "b"] * 500 if kind.startswith("CIFAR") else labels_of(PLAIN[kind])
    assert propose_groups(PLAIN[kind], labels) is None


NAME = st.text("ab1_-. /2", min_size=1, max_size=9)


@settings(max_examples=40)
@given(st.lists(NAME, min_size=10, max_size=25, unique=True), st.lists(NAME, min_size=2, max_size=4), st.integers(1, 3))
def test_a_proposal_never_joins_all_or_none(heads: list[str], tails: list[str], classes: int) -> None:
    paths = [f"{number % classes}/{head}1_{tail}.png" for number, head in enumerate(heads) for tail in tails]
    if found := propose_groups(paths, labels_of(paths)):
        sizes = pd.Series(groups_by(paths, found.value)).value_counts()
        assert (sizes > 1).sum() >= MIN_GROUPS and sizes.max() <= MAX_SHARE * len(paths)


FORM = (st.text("abIMGé", max_size=5), st.sampled_from(["", "_", "-"]), st.integers(1, 4))


@settings(max_examples=25)
@given(*FORM, st.lists(st.integers(2, 5), min_size=15, max_size=30))
def test_a_pattern_of_any_form_is_found(prefix: str, mark: str, width: int, counts: list[int]) -> None:
    stems = [f"{prefix}{mark}{number:0{width}d}" for number in range(len(counts))]
    paths = [f"{n % 2}/{stem}_{n}.png" for stem, count in zip(stems, counts, strict=True) for n in range(count)]
    found = propose_groups(paths, ["a"] * len(paths))
    assert found
    assert pd.Series(groups_by(paths, found.value)).value_counts().tolist() == sorted(counts, reverse=True)


@pytest.mark.parametrize(
    ("classes", "joined"),
    [
        ({"Cat": 30, "cat": 90}, "{Cat: cat}"),
        ({"dog": 50, "dogs": 15}, "{dogs: dog}"),
        ({"puppy": 20, "puppies": 30}, "{puppy: puppies}"),
        ({"box": 20, "boxes": 30}, "{box: boxes}"),
        ({"German shepherd": 20, "german_shepherd": 30, "pug": 20}, "{German shepherd: german_shepherd}"),
        ({"no": 20, "No": 30}, "{'no': 'No'}"),
        ({"glass": 20, "glas": 20}, None),
        ({"A": 20, "a": 30}, None),
        ({"-1": 20, "1": 20}, None),
        ({"1.0": 20, "10": 20}, None),
        ({"c++": 20, "c": 20}, None),
    ],
)
def test_two_spellings_of_a_class_are_pointed_out(classes: dict[str, int], joined: str | None) -> None:
    assert [proposal.value for proposal in propose_for_classes(classes)] == ([joined] if joined else [])


def test_a_class_is_small_only_when_its_spellings_together_are() -> None:
    (found,) = propose_for_classes({"Cat": 3, "cat": 90, "yak": 9, "dog": 90})
    assert (found.key, found.value) == ("ingest.labels", "{Cat: cat, yak: null}")
    assert "Cat (3) and cat (90)" in found.reason and "yak (9)" in found.reason


def test_a_small_class_is_left_out_in_both_spellings() -> None:
    (found,) = propose_for_classes({"Cat": 3, "cat": 4, "yak": 90, "dog": 90})
    assert found.value == "{Cat: null, cat: null}" and "cat (7)" in found.reason


@pytest.mark.parametrize(
    ("classes", "smallest"),
    [({"a": 5, "b": 5}, "5"), ({"a": 90, "b": 5}, "5"), ({f"{n:04d}": 4 + n % 2 for n in range(2000)}, "4")],
)
def test_where_too_few_classes_would_remain_a_lower_limit_is_proposed(classes: dict[str, int], smallest: str) -> None:
    (found,) = propose_for_classes(classes)
    assert (found.key, found.value) == ("validate.min_per_class", smallest) and len(found.reason) < 250
    assert found.reason.count("(") <= 5 and ("and 1,995 more" in found.reason) == (len(classes) == 2000)


def test_joining_and_a_lower_limit_are_two_proposals() -> None:
    found = propose_for_classes({"Cat": 3, "cat": 90, "yak": 9})
    assert [(one.key, one.value) for one in found] == [("ingest.labels", "{Cat: cat}"), ("validate.min_per_class", "9")]
