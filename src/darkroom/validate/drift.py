"""Whether the data has moved since it was last accepted."""

from pathlib import Path

import pandas as pd
from pydantic import ValidationError

from darkroom.core.errors import UserError
from darkroom.core.files import DECIMALS, read_value, rounded
from darkroom.params.data import Drift
from darkroom.params.section import Section, Share

SHOWN = 10


class Profile(Section):
    """What is compared of a data set: a few numbers about its pictures."""

    pictures: int
    classes: dict[str, Share]  # label: share of the pictures
    side: float | None  # pixels, median of sqrt(width * height); None without a picture
    brightness: Share | None  # mean; None without a measured picture


def profile_of(manifest: pd.DataFrame) -> Profile:
    """Return the profile of the readable pictures, rounded as reports are."""
    pictures = manifest.loc[manifest["error"].isna(), ["label", "width", "height", "brightness"]]
    area = pictures["width"].astype("float64") * pictures["height"].astype("float64")
    shares = pictures["label"].value_counts(normalize=True).sort_index()
    facts = {
        "pictures": len(pictures),
        "classes": shares.to_dict(),
        "side": float(area.pow(0.5).median()),
        "brightness": float(pictures["brightness"].astype("float64").mean()),
    }
    return Profile.model_validate(rounded(facts))


def read_accepted(path: Path) -> Profile | None:
    """Return the accepted profile; None when nothing is accepted yet. Raises UserError when the file is broken."""
    try:
        raw = read_value(path)
        return None if raw == {} else Profile.model_validate(raw)
    except (ValueError, RecursionError, ValidationError):
        remedy = "write {} into it, then run `darkroom accept`"
        raise UserError(f"data/{path.name}: is not a profile of accepted data; {remedy}") from None


def find_drift(now: Profile, accepted: Profile, limits: Drift) -> list[str]:
    """Return a line for each thing that moved further than `limits`; classes that are new or gone always count."""
    lines = _class_drift(now.classes, accepted.classes, limits.share)
    if now.side and accepted.side and max(now.side / accepted.side, accepted.side / now.side) > limits.size:
        lines.append(f"typical side: {now.side:.4g} pixels, accepted {accepted.side:.4g}")
    light, before = now.brightness, accepted.brightness
    if light is not None and before is not None and _moved(light, before) > limits.brightness:
        lines.append(f"mean brightness: {light:.4g}, accepted {before:.4g}")
    return lines


def _class_drift(now: dict[str, float], accepted: dict[str, float], limit: float) -> list[str]:
    """Return the classes that are new, gone, or have another share of the pictures; the largest moves first."""
    lines = [
        f"classes {word}: {_names(sorted(names))}"
        for word, names in (("new", now.keys() - accepted.keys()), ("gone", accepted.keys() - now.keys()))
        if names
    ]
    moves = {label: _moved(now[label], accepted[label]) for label in sorted(now.keys() & accepted.keys())}
    moved = sorted((label for label in moves if moves[label] > limit), key=lambda label: -moves[label])
    lines += [
        f"class {label}: {now[label]:.2%} of the pictures, accepted {accepted[label]:.2%}" for label in moved[:SHOWN]
    ]
    return lines + ([f"and {len(moved) - SHOWN} more classes with another share"] if len(moved) > SHOWN else [])


def _moved(now: float, accepted: float) -> float:
    """Return the distance without the last bits, so that a move just at the limit is within it."""
    return round(abs(now - accepted), DECIMALS)


def _names(names: list[str]) -> str:
    return ", ".join(names[:SHOWN]) + (f" and {len(names) - SHOWN} more" if len(names) > SHOWN else "")
