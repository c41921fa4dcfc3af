"""`darkroom accept`: accept the validated data as the reference for drift."""

from pathlib import Path
from typing import Any

import pandas as pd

from darkroom.core.errors import UserError
from darkroom.core.files import read_value, replacing, write_value
from darkroom.core.paths import ARTEFACTS, report_path, workspace
from darkroom.params.data import Drift
from darkroom.validate.drift import Profile, find_drift, profile_of, read_accepted

ANY_CHANGE = Drift(share=0.0, size=1.0, brightness=0.0)
PROFILED = ["label", "width", "height", "brightness", "error"]  # the columns that a profile is made of


def accept_data() -> int:
    """Write the profile of the validated data to data/accepted.json, print what changed; return the exit status."""
    root = workspace()
    profile = _validated_profile(root)
    path = root / ARTEFACTS["accepted"]
    before = read_accepted(path) if path.exists() else None
    if before == profile:
        print(f"{ARTEFACTS['accepted']}: this data is accepted already")
        return 0
    with replacing(path) as unfinished:
        write_value(unfinished, profile.model_dump(), path.suffix)
    print(f"{ARTEFACTS['accepted']}: {profile.pictures} pictures in {len(profile.classes)} classes")
    for line in _changes(profile, before) if before else []:
        print(f"  {line}")
    return 0


def _changes(profile: Profile, before: Profile) -> list[str]:
    count = [f"pictures: {profile.pictures}, accepted {before.pictures}"] if profile.pictures != before.pictures else []
    return count + find_drift(profile, before, ANY_CHANGE)


def _validated_profile(root: Path) -> Profile:
    """Return the profile in the report of validate; raises UserError unless it passed and is of the present data."""
    name = report_path("validate")
    try:
        report: dict[str, Any] = read_value(root / name)
        profile = Profile.model_validate(report["profile"])
    except FileNotFoundError:
        raise UserError(f"{name} is missing: no data has been validated; run `dvc repro validate`", status=1) from None
    except (ValueError, KeyError, TypeError):  # pydantic's error is a ValueError
        raise UserError(f"{name} has no profile; run `dvc repro --force validate`", status=1) from None
    if report.get("success") is not True:
        raise UserError(f"{name}: validation failed; fix the data, then run `dvc repro validate`", status=1)
    manifest = root / ARTEFACTS["manifest"]
    if manifest.exists() and profile_of(pd.read_parquet(manifest, columns=PROFILED)) != profile:
        raise UserError(f"{name} is about earlier data; run `dvc repro validate`", status=1)
    return profile
