"""Champion and challenger in MLflow's registry: who they are, and what a comparison makes of them."""

from dataclasses import asdict
from typing import TYPE_CHECKING

from darkroom.core.errors import UserError
from darkroom.core.files import canonical_json
from darkroom.gate.by_hand import promote_version
from darkroom.gate.versions import aliases_of, find_numbered, read_verdict, set_tags, who_and_when
from darkroom.tracking.store import connect, store_error
from darkroom.traffic.comparison import Comparison

if TYPE_CHECKING:
    from mlflow import MlflowClient

AB_TAG = "darkroom.ab."


def compared_versions(name: str) -> tuple[str, str]:
    """Return the numbers of champion and challenger; raises UserError when one is missing or the store fails."""
    from mlflow.exceptions import MlflowException

    try:
        return _versions(connect(), name)
    except (MlflowException, OSError) as error:
        raise store_error(error, "looking for champion and challenger") from None


def _versions(client: "MlflowClient", name: str) -> tuple[str, str]:
    aliases = aliases_of(client, name)
    for alias in ("champion", "challenger"):
        if alias not in aliases:
            raise UserError(f"no version of {name} is the {alias}; `darkroom versions` lists what there is", status=1)
    return aliases["champion"], aliases["challenger"]


def apply_decision(name: str, found: Comparison) -> str:
    """Promote the challenger, or take its alias; its figures become tags. Returns a line that says what was done.

    Raises UserError when the two are no longer those that were compared, or the store fails.
    """
    from mlflow.exceptions import MlflowException

    try:
        return _apply(connect(), name, found)
    except (MlflowException, OSError) as error:
        raise store_error(error, f"acting on the comparison ({found.decision})") from None


def _apply(client: "MlflowClient", name: str, found: Comparison) -> str:
    champion, challenger = found.champion.version, found.challenger.version
    if _versions(client, name) != (champion, challenger):
        raise UserError("champion or challenger has changed since the log was read; run `darkroom ab` again", status=1)
    facts = {"decision": found.decision, "reason": found.reason, "figures": canonical_json(asdict(found))}
    set_tags(client, name, challenger, {AB_TAG + key: text for key, text in {**facts, **who_and_when()}.items()})
    if found.decision == "promote":
        _require_criteria_met(client, name, challenger)
        promote_version(client, name, challenger, force=True)  # live answers outweigh the comparison on validation
        return f"version {challenger} of {name} is the champion now; `darkroom rollback` takes that back"
    client.delete_registered_model_alias(name, "challenger")
    return f"version {challenger} of {name} is no longer the challenger"


def _require_criteria_met(client: "MlflowClient", name: str, number: str) -> None:
    """Raise UserError when a version failed a criterion that answers of live traffic say nothing about."""
    verdict = read_verdict(find_numbered(client, name, number))
    unmet = [row.reason for row in verdict.criteria if not row.met and row.name != "champion"] if verdict else []
    if unmet:
        raise UserError(
            f"version {number} of {name} wins, but failed the gate ({'; '.join(unmet)}); "
            f"`darkroom promote {number} --force` releases it all the same",
            status=1,
        )
