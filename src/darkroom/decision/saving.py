"""The files of a decision: decision.json and the features of training pictures, reference.npy."""

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np

from darkroom.decision.familiarity import Familiarity
from darkroom.decision.rule import Rule


def write_decision(folder: Path, rule: Rule, familiarity: Familiarity) -> None:
    """Write both to `folder`, which is made; the same bytes for the same decision."""
    folder.mkdir(parents=True)
    known = {"neighbours": familiarity.neighbours, "threshold": familiarity.threshold}
    text = json.dumps({"rule": asdict(rule), "familiarity": known}, sort_keys=True, indent=2)
    (folder / "decision.json").write_text(text + "\n", encoding="utf-8")
    np.save(folder / "reference.npy", familiarity.reference.astype(np.float16))  # the angles need no more digits


def load_decision(folder: Path) -> tuple[Rule, Familiarity]:
    """Return what `write_decision` wrote."""
    facts = json.loads((folder / "decision.json").read_text(encoding="utf-8"))
    reference = np.load(folder / "reference.npy").astype(np.float32)
    pairs = tuple((level, threshold) for level, threshold in facts["rule"].pop("thresholds"))
    return Rule(**facts["rule"], thresholds=pairs), Familiarity(reference, **facts["familiarity"])
