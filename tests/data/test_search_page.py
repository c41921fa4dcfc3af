"""The report about a search: what it says, what it draws, and that it says nothing where nothing is known."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from darkroom.pages.axes import LEFT, RIGHT
from darkroom.pages.parallel_chart import shortened
from darkroom.pages.scales import CHARACTER, linear_scale, log_scale, short_number
from darkroom.search_page.importance import ENOUGH, importances
from darkroom.search_page.page import write_page
from darkroom.search_page.plots import draw_plots
from darkroom.search_page.study import Study
from darkroom.search_page.verdict import REPEATS
from darkroom.tune.choice import Found, choose
from darkroom.tune.trial import Drawn, FreshRun, Trial
from page_reader import Reader, read_page
from studies import found_of, tune_section


def page_of(folder: Path, found: Found | None) -> Reader:
    write_page(folder / "tune.html", found)
    return read_page(folder / "tune.html")


def test_the_page_says_what_was_chosen_how_far_to_trust_it_and_needs_no_other_file(tmp_path: Path) -> None:
    found = found_of(60)
    page = page_of(tmp_path, found)
    text, choice = " ".join(page.texts), found.choice
    assert choice.fresh_score and choice.search_score and choice.search_score > choice.fresh_score
    assert f"Trial {choice.number} is chosen" in text and REPEATS in text
    scores = f"{choice.search_score:.4f} in the search, {choice.fresh_score:.4f} on 3 fresh seeds"
    assert f"{scores}: the search flattered it by {choice.search_score - choice.fresh_score:.4f}" in text
    states = [trial.state for trial in found.trials]
    assert (
        f"60 trials: {states.count('complete')} complete, {states.count('pruned')} pruned, 3 failed, 3 refused" in text
    )
    assert all(f"{score:.4f}" in text for scores in choice.fresh.values() for score in scores)
    assert all(link.startswith(("#", "data:")) for link in page.links if link)
    assert page.tags.count("tr") > 60


def test_a_pruned_trial_that_fresh_seeds_chose_has_a_page_and_plots(tmp_path: Path) -> None:
    found = found_of(9)
    stopped = next(trial for trial in found.trials if trial.state == "pruned")
    runs = [*found.fresh_runs, *(FreshRun(stopped.number, seed, {"accuracy": 0.99}, 1.0) for seed in (101, 202, 303))]
    won = replace(found, fresh_runs=runs, choice=choose(found.trials, runs, found.tune))
    text = " ".join(page_of(tmp_path, won).texts)
    assert f"Trial {stopped.number} is chosen" in text
    assert "Accuracy 0.9900 on 3 fresh seeds; the search had pruned it after 2 epochs." in text
    draw_plots(tmp_path / "plots", won)


def test_the_page_does_not_depend_on_how_long_a_trial_took(tmp_path: Path) -> None:
    found = found_of(20)
    slower = replace(found, trials=[replace(trial, seconds=trial.seconds * 3) for trial in found.trials])
    write_page(tmp_path / "one", found)
    write_page(tmp_path / "other", slower)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "other").read_bytes()


def test_costs_have_a_front_and_a_search_that_does_not_repeat_says_why(tmp_path: Path) -> None:
    why = "It does not repeat: latency is measured."
    found = found_of(30, costs=["parameters", "latency"], pruner="none", repeatable=False, obstacle=why)
    text = " ".join(page_of(tmp_path, found).texts)
    assert "on the Pareto front" in text and "at most 0.01 worse in accuracy" in text
    assert why in text and REPEATS not in text


def test_without_a_search_the_page_says_so(tmp_path: Path) -> None:
    page = page_of(tmp_path, None)
    assert "There was no search" in " ".join(page.texts) and "svg" not in page.tags


def one_trial(trials: Sequence[Trial], **changes: Any) -> Found:
    tune = tune_section(finalists=0, **changes)
    return Found(trials, [], choose(trials, [], tune), tune, repeatable=True)


def test_a_search_of_one_trial_with_one_epoch_has_a_page(tmp_path: Path) -> None:
    scores = {"accuracy": 0.5, "parameters": 10.0}
    trial = Trial(Drawn(0, {"train": {"learning_rate": 0.001}}), "complete", scores, [{"validation_log_loss": 0.7}])
    text = " ".join(page_of(tmp_path, one_trial([trial], pruner="none", costs=["parameters"])).texts)
    assert "The values of params.yaml are chosen" in text and "flatters itself" not in text
    assert f"fewer than {ENOUGH} complete trials, and there are 1" in text
    draw_plots(tmp_path / "plots", one_trial([trial]))


def test_a_finalist_that_failed_with_a_fresh_seed_is_the_last_in_its_table(tmp_path: Path) -> None:
    found = found_of(20)
    failed = found.fresh_runs[0].number
    runs = [replace(run, scores={}) if run.number == failed else run for run in found.fresh_runs]
    found = replace(found, fresh_runs=runs, choice=choose(found.trials, runs, found.tune))
    assert Study(found).finalists[-1] == failed
    page_of(tmp_path, found)


def test_the_key_that_decides_is_the_most_important_one_and_few_trials_say_nothing() -> None:
    shares = importances(Study(found_of(60)))
    assert next(iter(shares)) == "train.learning_rate" and sum(shares.values()) == pytest.approx(1)
    assert "train.momentum" in shares  # of some trials alone
    assert importances(Study(found_of(ENOUGH))) == {}  # not all of them are complete


def test_scores_far_from_the_others_do_not_stretch_the_axis() -> None:
    found = found_of(20, metric="log_loss", pruner="none")
    worst = found.trials[-1]
    far = replace(worst, scores={**worst.scores, "log_loss": 1e6})
    study = Study(replace(found, trials=[*found.trials[:-1], far]))
    assert study.shown_scores.max() < 10 and len(study.shown_scores) >= len(study.scores) - 3


def test_pictures_are_drawn_of_all_that_the_page_shows(tmp_path: Path) -> None:
    draw_plots(tmp_path, found_of(ENOUGH + 4, pruner="none", costs=["parameters"]))
    names = {"history", "learning_curves", "importance", "slices", "trade_off", "parallel_coordinates"}
    assert {file.stem for file in tmp_path.iterdir()} == names


@pytest.mark.parametrize("values", [[1e-5, 0.3], [0.0004, 0.006], [0.011, 0.012], [5.0], [1e4, 5e9], [3, 30]])
def test_texts_of_an_axis_do_not_overlap(values: list[float]) -> None:
    for scale in (log_scale(np.array(values), ""), linear_scale(np.array(values), "")):
        places = scale.tick_places(LEFT, RIGHT)
        ends = [(place - CHARACTER * len(text) / 2, place + CHARACTER * len(text) / 2) for place, text in places]
        assert len(places) >= 1 and all(before[1] < after[0] for before, after in pairwise(ends))
        assert all(LEFT - 1e-6 <= place <= RIGHT + 1e-6 for place in scale.places(np.array(values), LEFT, RIGHT))


def test_numbers_and_lists_are_short() -> None:
    assert [short_number(value) for value in (0.00001, 0.25, 9000, 20000, 1.5e6)] == [
        "1e-5",
        "0.25",
        "9000",
        "20k",
        "1.5M",
    ]
    assert shortened("32, 64, 128, 256, 512", 12) == "32, 6…6, 512" and shortened("adam", 12) == "adam"
