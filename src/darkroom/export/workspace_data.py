"""The pictures of the workspace, decoded as a packaged model decodes them."""

import json
from dataclasses import dataclass
from pathlib import Path

from darkroom.core.errors import UserError
from darkroom.core.files import read_value
from darkroom.core.paths import ARTEFACTS, workspace
from darkroom.decision.rule import Rule
from darkroom.examples.pixels import Examples, load_examples
from darkroom.execution.workers import worker_pool
from darkroom.images.packed import list_shards
from darkroom.params.schema import ImageParams


@dataclass(frozen=True)
class Packaged:
    """What a bundle says of its model: classes in order, how pictures are decoded, the rule that calibrates.

    `decoding` is the version of that (images.scaling.DECODE_VERSION).
    """

    network: Path
    classes: tuple[str, ...]
    image: ImageParams
    rule: Rule
    decoding: int


def read_bundle(bundle: Path) -> Packaged:
    """Read a bundle without loading its network."""
    facts = json.loads((bundle / "bundle.json").read_text(encoding="utf-8"))
    # the rest of a decision differs between states of the code; a temperature each has
    decision = json.loads((bundle / "decision" / "decision.json").read_text(encoding="utf-8"))
    rule = Rule(decision["rule"]["temperature"], 0.0, 0.0)
    image, decoding = ImageParams(**facts["image"]), facts.get("decoding", 1)
    return Packaged(bundle / "model.keras", tuple(facts["classes"]), image, rule, decoding)


def load_splits(packaged: Packaged, names: tuple[str, ...]) -> dict[str, Examples]:
    """Return the named splits of the workspace; raises UserError when it has none, or other classes than the model."""
    root = workspace()
    splits, images = root / ARTEFACTS["splits"], root / ARTEFACTS["images"]
    if not splits.is_file() or not images.is_dir() or not list_shards(images):
        raise UserError(
            f"{ARTEFACTS['splits']} or {ARTEFACTS['images']} is missing: an export is measured on the validation "
            "pictures; make them with `make repro`, or fetch them with `dvc pull`"
        )
    with worker_pool() as pool:
        data = load_examples(images, read_value(splits), packaged.image, names, pool, packaged.decoding)
    found = data[names[0]].classes
    if found != packaged.classes:
        raise UserError(
            f"the model knows the classes {', '.join(packaged.classes)}, the workspace has {', '.join(found)}; "
            "check out the data that the model was trained on"
        )
    return data
