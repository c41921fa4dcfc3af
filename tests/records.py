"""An answer in the log of traffic."""

import numpy as np

from darkroom.traffic.record import Record

RECORD = Record(
    request="r0",
    time=1.5e9,
    version="3",
    role="champion",
    label="cat",
    score=0.75,
    probabilities={"dog": 0.25, "cat": 0.75},
    abstains=False,
    unfamiliar=False,
    error=None,
    milliseconds=2.5,
    width=32,
    height=24,
    brightness=0.5,
    sharpness=None,
    features=np.arange(4, dtype=np.float32) / 8,
    picture=b"a picture",
)
