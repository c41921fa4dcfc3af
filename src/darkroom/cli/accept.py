"""`darkroom accept`: make the validated data the one that later data is compared with."""

from pathlib import Path
from typing import Any

import pandas as pd

from darkroom.core.errors import UserError
from darkroom.core.files import read_value, replacing, write_value
from darkroom.core.paths import ARTEFACTS, report_path, workspace
from darkroom.params.data import Drift
from darkroom.validate.drift import Profile, find_drift, profile_of, read_accepted

ANY_MOVE = Drift(share=0.0, size=1.0, brightness=0.0)


def accept() -> int:
    """Write the profile that validate saw to data/accepted.json and print what changed; return the exit status."""
    root = workspace()
    profile = _validated(root)
    path = root / ARTEFACTS["accepted"]
    before = read_accepted(path) if path.exists() else None
    if before == profile:
        print(f"{ARTEFACTS['accepted']}: is this data already")
        return 0
    with replacing(path) as unfinished:
        write_value(unfinished, profile.model_dump(), path.suffix)
    print(f"{ARTEFACTS['accepted']}: {profile.pictures} pictures in {len(profile.classes)} classes")
    for line in _changes(profile, before) if before else []:
        print(f"  {line}")
    return 0


def _changes(profile: Profile, before: Profile) -> list[str]:
    count = [f"pictures: {profile.pictures}, accepted {before.pictures}"] if profile.pictures != before.pictures else []
    return count + find_drift(profile, before, ANY_MOVE)


def _validated(root: Path) -> Profile:
    """Return the profile in validate's report; raises UserError when it is of no data, failed or other data."""
    name = report_path("validate")
    try:
        report: dict[str, Any] = read_value(root / name)
        profile = Profile.model_validate(report["profile"])
    except FileNotFoundError:
        raise UserError(f"{name} is missing: no data is validated; run `dvc repro validate`", status=1) from None
    except (ValueError, KeyError, TypeError):  # pydantic's error is a ValueError
        raise UserError(f"{name}: holds no profile; run `dvc repro --force validate`", status=1) from None
    manifest = root / ARTEFACTS["manifest"]
    columns = ["label", "width", "height", "brightness", "error"]
    if report.get("success") is not True:
        raise UserError(f"{name}: the data failed; mend it and run `dvc repro validate`", status=1)
    if manifest.exists() and profile_of(pd.read_parquet(manifest, columns=columns)) != profile:
        raise UserError(f"{name}: is about earlier data; run `dvc repro validate`", status=1)
    return profile
