"""One answer in the log of traffic."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from darkroom.core.files import canonical_json

Role = Literal["champion", "challenger", "shadow"]
KEPT_CLASSES = 10  # the most probable; a thousand classes would take 20 kB in each row


@dataclass(frozen=True)
class Record:
    """What a version answered on one picture; facts of a picture that could not be read are None.

    `request` is the key of the picture: both versions have it in shadow mode, and the outcome comes back under it.
    `time` is in seconds since 1970. A challenger's answer that nobody got to see has the role "shadow". Brightness and
    sharpness are those of the manifest; `picture` is the file as it came, `features` (n,) what the last layer saw.
    """

    request: str
    time: float
    version: str
    role: Role
    label: str | None
    score: float | None
    probabilities: dict[str, float]
    abstains: bool | None
    unfamiliar: bool | None
    error: str | None
    milliseconds: float
    width: int | None
    height: int | None
    brightness: float | None
    sharpness: float | None
    features: np.ndarray | None = None
    picture: bytes | None = None

    def row(self) -> dict[str, Any]:
        """Return the values of the log's columns: features as float16, the most probable classes only, no picture."""
        found: dict[str, Any] = {
            name: clean(value) if isinstance(value, str) else value
            for name, value in vars(self).items()
            if name != "picture"
        }
        likely = sorted(self.probabilities.items(), key=lambda entry: -entry[1])[:KEPT_CLASSES]
        found["probabilities"] = canonical_json({clean(name): round(float(share), 6) for name, share in likely})
        found["features"] = None if self.features is None else np.asarray(self.features, "<f2").tobytes()
        return found


def clean(text: str) -> str:
    """Return a text as every database stores it: PostgreSQL refuses zeros, and no database takes half a surrogate."""
    return text.encode("utf-8", "replace").decode("utf-8").replace("\0", "")
