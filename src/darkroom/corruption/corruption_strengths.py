"""How strong a corruption is, by severity and by the side of the picture."""

from dataclasses import dataclass
from math import log

SMALL_SIDE, LARGE_SIDE = 32, 224  # of CIFAR-10-C and of ImageNet-C, for which strengths are published

Five = tuple[float, float, float, float, float]


@dataclass(frozen=True)
class Strength:
    """One setting of a corruption, a positive number for each severity, at 32 pixels a side and at 224.

    Between the two sides it follows the power of the side that goes through both. A length, in pixels, goes on so
    beyond them, down to `least`, where a picture of a few pixels still changes; anything else stays as it is there.
    """

    small: Five
    large: Five
    length: bool = False
    least: Five = (0.0, 0.0, 0.0, 0.0, 0.0)

    def at(self, side: int, severity: int) -> float:
        """Return the setting for pictures of this side in pixels; `severity` is 1 to 5."""
        small, large = self.small[severity - 1], self.large[severity - 1]
        place = log(side / SMALL_SIDE) / log(LARGE_SIDE / SMALL_SIDE)
        if not self.length:
            place = min(max(place, 0.0), 1.0)
        return max(float(small * (large / small) ** place), self.least[severity - 1])
