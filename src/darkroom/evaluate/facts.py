"""What is known of each picture apart from its pixels: its path, its group, and the facts that ingest has measured."""

from pathlib import Path

import numpy as np
import pandas as pd

from darkroom.decision.reference import ROWS, write_reference
from darkroom.decision.saving import write_decision
from darkroom.evaluate.evaluation import Evaluation
from darkroom.examples.sampling import evenly


def picture_facts(manifest: pd.DataFrame, curated: pd.DataFrame) -> pd.DataFrame:
    """Return the manifest's rows of the curated pictures, with their group_id; the index is image_id."""
    groups = curated.set_index("image_id")["group_id"]
    return manifest.set_index("image_id").loc[groups.index].assign(group_id=groups)


def save_decision(folder: Path, found: Evaluation, facts: pd.DataFrame, folds: bool) -> None:
    """Write what goes with each answer, and what `darkroom watch` compares the traffic with, to `folder`.

    That is validation; with folds it is test, because the networks together have learnt all the others.
    """
    write_decision(folder, found.rule, found.familiarity)
    part = found.measured["test" if folds else "validation"]
    rows = evenly(len(part.answers), ROWS)
    probabilities = part.answers.probabilities[rows]
    predicted = np.array(part.answers.classes)[probabilities.argmax(axis=1)]
    known = facts.loc[part.answers.image_ids[rows]]
    write_reference(folder, known, predicted, probabilities.max(axis=1), part.features[rows])
