"""A trained network, evaluated: everything that is found out about it."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from darkroom.core.tables import SPLIT_NAMES
from darkroom.decision.familiarity import Familiarity
from darkroom.decision.rule import Rule
from darkroom.evaluate.answers_study import AnswersStudy, study_answers
from darkroom.evaluate.champion import ChampionComparison, compare
from darkroom.evaluate.decide import fit_familiarity, fit_rule
from darkroom.evaluate.measure import Measured, measure, measured_splits, pictures_at_once, with_out_of_fold
from darkroom.evaluate.network_study import Explanations, explain_errors, study_robustness, study_unfamiliar
from darkroom.evaluate.other_data import read_other
from darkroom.evaluate.pictures import worst_errors
from darkroom.evaluation_page.content import Robustness, Unfamiliar
from darkroom.examples.pixels import Examples, load_examples
from darkroom.examples.predictions import Predictions, answers_table
from darkroom.examples.runtime import start_tensorflow
from darkroom.examples.saving import load_network
from darkroom.execution.workers import worker_pool
from darkroom.models.cost import measure_latency, network_cost
from darkroom.models.features import with_features
from darkroom.params.declared import DeclaredParams

if TYPE_CHECKING:
    import keras

OTHERS = 1000  # pictures of other data, at most
ERRORS = 24  # wrong answers on the page, also when fewer have heat maps


@dataclass(frozen=True)
class Inputs:
    """What is evaluated: the file of the model, the examples of each split, and what is known of the pictures.

    `facts` as of `facts.picture_facts`, `images` are the packed pictures, `others` (m, size, size, 3) uint8 those of
    the data that `evaluate.other_data` names; None without.
    """

    model: Path
    images: Path
    data: dict[str, Examples]
    facts: pd.DataFrame
    others: np.ndarray | None


def load_inputs(
    model: Path, images: Path, splits: pd.DataFrame, facts: pd.DataFrame, other: Path, params: DeclaredParams
) -> Inputs:
    """Decode the pictures of all splits, and those of the folder `other` that params.yaml names; raises UserError."""
    name = params.evaluate.other_data
    others = read_other(other / name, params.image, OTHERS) if name else None
    with worker_pool() as pool:
        data = load_examples(images, measured_splits(splits, params), params.image, SPLIT_NAMES, pool)
    return Inputs(model, images, data, facts, others)


@dataclass(frozen=True)
class Evaluation:
    """What is found out about a network; `measured` are calibrated answers, `errors` rows of test, the worst first."""

    rule: Rule
    familiarity: Familiarity
    measured: dict[str, Measured]
    study: AnswersStudy
    robustness: Robustness | None
    unfamiliar: Unfamiliar
    errors: np.ndarray
    explanations: Explanations
    champion: ChampionComparison | None
    cost: dict[str, int]
    latency: dict[str, float]

    @property
    def answers(self) -> dict[str, Predictions]:
        """The answers on each split."""
        return {split: part.answers for split, part in self.measured.items()}

    def answers_table(self) -> pd.DataFrame:
        """Return the answers on validation and test, tables.ANSWERS."""
        return answers_table(self.answers[split] for split in ("validation", "test"))

    @property
    def corruptions(self) -> pd.DataFrame:
        """The accuracy under each corruption: kind, severity, accuracy; no row when it was not measured."""
        found = self.robustness.corruptions if self.robustness else None
        return pd.DataFrame(columns=["kind", "severity", "accuracy"]) if found is None else found


def evaluate_model(inputs: Inputs, out_of_fold: pd.DataFrame, params: DeclaredParams) -> Evaluation:
    """Return all that is found out; validation decides the rule, test measures it.

    `out_of_fold` are the answers (tables.ANSWERS) on validation that train has saved; they count with `ensemble.folds`.
    """
    start_tensorflow(params.train.threads)
    network = load_network(inputs.model)
    both = with_features(network)
    rule, familiarity, measured = _decide(both, inputs.data, out_of_fold, params)
    answers, test = {split: part.answers for split, part in measured.items()}, measured["test"]
    errors = worst_errors(test.answers, max(ERRORS, params.evaluate.heat_maps))
    return Evaluation(
        rule=rule,
        familiarity=familiarity,
        measured=measured,
        study=study_answers(answers, familiarity.score(test.features) > 1, inputs.facts, rule),
        robustness=study_robustness(network, test, params),
        unfamiliar=study_unfamiliar(both, familiarity, test, inputs.others, params),
        errors=errors,
        explanations=explain_errors(network, test, errors[: params.evaluate.heat_maps], params),
        champion=_compare(test.answers, inputs, params),
        cost=network_cost(network, inputs.model),
        latency=measure_latency(network, params.image.size, params.train.threads),
    )


def _decide(
    network: "keras.Model", data: dict[str, Examples], out_of_fold: pd.DataFrame, params: DeclaredParams
) -> tuple[Rule, Familiarity, dict[str, Measured]]:
    """Return what validation decides, and what a network with features then gives on each split."""
    raw = measure(network, data, pictures_at_once(params))
    familiarity = fit_familiarity(raw["train"].features, raw["validation"].features)
    if params.ensemble.folds:
        raw = with_out_of_fold(raw, out_of_fold)
    validation = raw["validation"].answers
    rule = fit_rule(validation.labels, validation.probabilities, params.evaluate.coverage)
    return rule, familiarity, {split: part.calibrated(rule) for split, part in raw.items()}


def _compare(test: Predictions, inputs: Inputs, params: DeclaredParams) -> ChampionComparison | None:
    if not params.evaluate.champion:
        return None
    groups = inputs.facts.loc[test.image_ids, "group_id"].to_numpy()
    return compare(test, groups, params.package.name, inputs.images)
