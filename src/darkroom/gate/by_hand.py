"""What a person decides about registered versions: to promote one, to go back to the one before."""

from typing import TYPE_CHECKING

from darkroom.core.errors import UserError
from darkroom.gate.claims import close_claim
from darkroom.gate.promotion import take_place
from darkroom.gate.versions import (
    GATE_TAG,
    PROMOTED,
    ROLLED_BACK,
    aliases_of,
    find_numbered,
    number_of,
    read_candidate,
    read_verdict,
    set_tags,
    who_and_when,
)

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities.model_registry import ModelVersion


def promote_version(client: "MlflowClient", name: str, number: str, force: bool = False) -> str:
    """Make version `number` of the model `name` the champion; return the number of the one before, "" for none.

    A version that waits for confirmation, and one that has passed the gate before, need no `force`; the version has
    tags of who promoted it, when, and whether it was forced. Raises UserError when there is no such version, when it
    is the champion already, when it failed the gate or was never judged and `force` is not given, and for a debug run.
    """
    version, aliases = find_numbered(client, name, number), aliases_of(client, name)
    number, before = number_of(version), aliases.get("champion", "")
    if before == number:
        raise UserError(f"version {number} of {name} is the champion already", status=1)
    forced = _needs_force(version, name, force)
    close_claim(client, name, number)
    signed = _signed(PROMOTED, "forced" if forced else "confirmed")
    set_tags(client, name, number, {**signed, ROLLED_BACK: "", f"{GATE_TAG}promote": ""})
    if aliases.get("challenger") == number:
        client.delete_registered_model_alias(name, "challenger")
    take_place(client, name, number, before)
    return before


def _needs_force(version: "ModelVersion", name: str, force: bool) -> bool:
    """Return whether the gate speaks against it; raises UserError when it does and nobody forces it."""
    number, verdict = number_of(version), read_verdict(version)
    if read_candidate(version).debug:
        raise UserError(f"version {number} of {name} comes from a debug run, which is never released", status=1)
    if verdict and (verdict.released or verdict.manual):
        return False
    if not force:
        why = f"failed the gate ({'; '.join(verdict.reasons)})" if verdict else "was never judged by the gate"
        command = f"darkroom promote {number} --force"
        raise UserError(f"version {number} of {name} {why}; `{command}` releases it all the same", status=1)
    return True


def _signed(tag: str, value: str) -> dict[str, str]:
    """Return the tags of what a person did, with who and when."""
    return {tag: value, **{f"{tag}.{key}": text for key, text in who_and_when().items()}}


def roll_back(client: "MlflowClient", name: str) -> tuple[str, str]:
    """Let champion and previous change places; return the numbers of the new champion and of the one before.

    The version that loses the place has tags of who did it and when, and is not released again by itself. Raises
    UserError when there is no previous version.
    """
    aliases = aliases_of(client, name)
    champion, previous = aliases.get("champion", ""), aliases.get("previous", "")
    if not previous or previous == champion:
        raise UserError(
            f"{name} has no previous version to go back to; `darkroom versions` lists what there is", status=1
        )
    if champion:
        set_tags(client, name, champion, _signed(ROLLED_BACK, "true"))
        close_claim(client, name, champion)
    set_tags(client, name, previous, {ROLLED_BACK: ""})
    take_place(client, name, previous, champion)
    return previous, champion
