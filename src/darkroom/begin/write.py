"""Writing what was chosen into params.yaml, each reason as a comment above its key."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from darkroom.begin.choice import Choice, as_overlay
from darkroom.begin.facts import Proposal
from darkroom.core.errors import UserError
from darkroom.params.editing import Changes, edit_params
from darkroom.params.load import leaves, read_yaml
from darkroom.params.reasons import CHOSEN, PROPOSED, Reasons
from darkroom.params.recipes import NETWORK, default_sections

DATA = ("ingest", "validate", "dedupe", "split", "balance")  # sections about data
# what belongs to one data set: with another source it would be wrong without a word
OF_A_SOURCE = (
    *("ingest.labels", "ingest.columns", "dedupe.group_by", "dedupe.filter", "balance", "split", "image.depth"),
    *("validate.max_imbalance", "validate.min_side", "validate.max_unreadable"),
)


def write_choices(
    root: Path, choices: Sequence[Choice], proposals: Iterable[Proposal], with_network: bool, dry: bool
) -> Changes:
    """Write the values and why they were chosen, and the proposals as comments; return what changed.

    Earlier settings of the network are reset first, as a recipe does, and earlier reasons removed; when the source
    changes, so is what belongs to the old one. Without `with_network` all this concerns the data only. With `dry`
    nothing is written.
    Raises UserError.
    """
    file = root / "params.yaml"
    chosen = as_overlay(choices)
    parts = [default_sections(root, NETWORK)] if with_network else []
    if _source(read_yaml(file)) != chosen["ingest"]["source"]:
        parts.append(default_sections(root, OF_A_SOURCE))
    explained = (*DATA, *NETWORK, "image", "evaluate") if with_network else DATA
    return edit_params(file, [*parts, chosen], "params.yaml", _reasons(choices, proposals), explained, dry)


def undecided(root: Path, source: str, proposals: Iterable[Proposal]) -> list[Proposal]:
    """Return the proposals for `source` without those whose value params.yaml has, and will still have."""
    params = read_yaml(root / "params.yaml")
    set_already = leaves(params)
    if _source(params) != source:
        set_already |= leaves(default_sections(root, OF_A_SOURCE))
    return [proposal for proposal in proposals if shown(set_already.get(proposal.key)) != proposal.value]


def _source(params: Any) -> str:
    try:
        return str(params["ingest"]["source"])
    except (TypeError, KeyError):
        raise UserError("params.yaml: has no ingest.source; restore it with `git checkout params.yaml`") from None


def _reasons(choices: Iterable[Choice], proposals: Iterable[Proposal]) -> Reasons:
    found: Reasons = {}
    for choice in choices:
        found.setdefault(choice.key, []).append(f"{CHOSEN}{shown(choice.value)}, {choice.reason}")
    for proposal in proposals:
        found.setdefault(proposal.key, []).append(f"{PROPOSED}{proposal.value}, {proposal.reason}")
    return found


def shown(value: Any) -> str:
    """Return a value as params.yaml has it."""
    return str(value).lower() if isinstance(value, bool) else str(value)
