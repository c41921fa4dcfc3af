"""Data drift since the data was last accepted."""

from pathlib import Path

import pandas as pd
from pydantic import ValidationError

from darkroom.core.errors import UserError
from darkroom.core.files import DECIMALS, read_value, rounded
from darkroom.params.data import Drift
from darkroom.params.section import Section, Share

SHOWN = 10  # classes listed by name, at most


class Profile(Section):
    """A data set's profile: the few numbers that are compared."""

    pictures: int
    classes: dict[str, Share]  # label: share of the pictures
    side: float | None  # pixels, median of sqrt(width * height); None without pictures
    brightness: Share | None  # mean; None without measured pictures


def profile_of(manifest: pd.DataFrame) -> Profile:
    """Return the profile of the readable pictures, rounded like reports."""
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
    """Return the accepted profile; None when nothing has been accepted. Raises UserError for a broken file."""
    try:
        raw = read_value(path)
        return None if raw == {} else Profile.model_validate(raw)
    except (ValueError, RecursionError, ValidationError):
        advice = "reset it to {} and run `darkroom accept`"
        raise UserError(f"data/{path.name}: not a profile of accepted data; {advice}") from None


def find_drift(now: Profile, accepted: Profile, limits: Drift) -> list[str]:
    """Return a line for each value that moved by more than `limits`; new and missing classes always count."""
    lines = _class_drift(now.classes, accepted.classes, limits.share)
    if now.side and accepted.side and max(now.side / accepted.side, accepted.side / now.side) > limits.size:
        lines.append(f"typical side: {now.side:.4g} pixels, accepted {accepted.side:.4g}")
    light, before = now.brightness, accepted.brightness
    if light is not None and before is not None and _moved(light, before) > limits.brightness:
        lines.append(f"mean brightness: {light:.4g}, accepted {before:.4g}")
    return lines


def _class_drift(now: dict[str, float], accepted: dict[str, float], limit: float) -> list[str]:
    """Return lines on new and missing classes and on changed shares of the pictures, the largest changes first."""
    lines = [
        f"{word} classes: {_join_names(sorted(names))}"
        for word, names in (("new", now.keys() - accepted.keys()), ("missing", accepted.keys() - now.keys()))
        if names
    ]
    moves = {label: _moved(now[label], accepted[label]) for label in sorted(now.keys() & accepted.keys())}
    moved = sorted((label for label in moves if moves[label] > limit), key=lambda label: -moves[label])
    lines += [f"class {name}: {now[name]:.2%} of the pictures, accepted {accepted[name]:.2%}" for name in moved[:SHOWN]]
    return lines + ([f"and {len(moved) - SHOWN} more classes with a changed share"] if len(moved) > SHOWN else [])


def _moved(now: float, accepted: float) -> float:
    """Return the difference, rounded, so that a change exactly at the limit is within it."""
    return round(abs(now - accepted), DECIMALS)


def _join_names(names: list[str]) -> str:
    return ", ".join(names[:SHOWN]) + (f" and {len(names) - SHOWN} more" if len(names) > SHOWN else "")
