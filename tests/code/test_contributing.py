"""CONTRIBUTING.md and docs/reference.md against the code: rooms, what an edit in one reruns, the files they name."""

import re
import tomllib
from typing import get_args

import pytest

from darkroom.core.metrics import METRICS
from darkroom.params.release import Metric
from darkroom.params.search import Objective
from import_graph import LIBRARY, ROOT
from rooms import ORDER, RERUNS

TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")


def stages(cell: str) -> set[str]:
    """Return the stages of "all stages [but x]", "nothing" or a list."""
    if cell.startswith("all stages"):
        return set(ORDER) - set(cell.removeprefix("all stages").removeprefix(" but ").split(", "))
    return set() if cell == "nothing" else set(cell.split(", "))


def test_the_table_of_rooms_says_what_an_edit_reruns() -> None:
    rows = re.findall(r"^\| `(\w+)` \| .+ \| ([\w, ]+) \|$", TEXT, flags=re.MULTILINE)
    assert {room: stages(cell) for room, cell in rows} == RERUNS


def test_the_table_lists_the_lower_rooms_first() -> None:
    contract = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"][0]
    layers = [re.split(r" [|:] ", layer) for layer in reversed(contract["layers"])]
    level = {room: number for number, layer in enumerate(layers) for room in layer}
    levels = [level[room] for room in re.findall(r"^\| `(\w+)` \|", TEXT, flags=re.MULTILINE)]
    assert levels == sorted(levels)


@pytest.mark.parametrize("name", sorted(set(re.findall(r"`((?:\w+/)+\w+\.\w+|tests/\w+/)`", TEXT))))
def test_a_file_that_the_walks_name_exists(name: str) -> None:
    assert (ROOT / name).exists() or (LIBRARY / name).exists()


@pytest.mark.parametrize("name", ["open_source", "Source", "to_range", "score", "SHOWN", "METRICS", "SMALLEST", "WIDE"])
def test_a_name_that_the_walks_name_exists(name: str) -> None:
    assert f"`{name}`" in TEXT
    defined = re.compile(rf"^(def |class )?{name}\b[(: =]", flags=re.MULTILINE)
    assert any(defined.search(file.read_text(encoding="utf-8")) for file in LIBRARY.rglob("*.py"))


def test_the_tree_lists_every_room() -> None:
    tree = (ROOT / "docs" / "reference.md").read_text(encoding="utf-8").split("## Project tree")[1]
    assert set(re.findall(r"^  ([\w/ ,]+?)/ +\S", tree, flags=re.MULTILINE)) == set(RERUNS)


def test_a_metric_that_chooses_a_model_is_in_the_table_of_metrics() -> None:
    assert get_args(Objective) == tuple(METRICS) and set(get_args(Metric)) <= METRICS.keys()
