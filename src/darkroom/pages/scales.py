"""Axes of numbers, logarithmic or not, whose texts do not overlap."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from darkroom.pages.axes import LEFT, RIGHT, Ticks, round_ticks, scaled

CHARACTER = 7.2  # pixels of a digit in a chart
GAP = 10  # pixels between two texts, at least
MANTISSAS = (1, 2, 5)


@dataclass(frozen=True)
class Scale:
    """An axis from `low` to `high` with its label; values and ticks are drawn by their log10 where `log` says so."""

    label: str
    low: float
    high: float
    ticks: Ticks
    log: bool = False

    def places(self, values: np.ndarray, start: float, end: float) -> np.ndarray:
        """Return where values (n,) float stand on the axis drawn from `start` to `end`; those beyond it at its ends."""
        low, high, values = (self._shown(np.asarray(number, float)) for number in (self.low, self.high, values))
        return scaled(values, float(low), float(high), start, end)

    def tick_places(self, start: float, end: float) -> list[tuple[float, str]]:
        """Return the ticks with their places."""
        places = self.places(np.array([value for value, _ in self.ticks]), start, end).tolist()
        return list(zip(places, (text for _, text in self.ticks), strict=True))

    def _shown(self, values: np.ndarray) -> np.ndarray:
        return np.log10(np.maximum(values, np.finfo(float).tiny)) if self.log else values


def linear_scale(values: np.ndarray, label: str, whole: bool = False) -> Scale:
    """Return the axis of `values` (n,) float, round at both ends; `whole`: of numbers that are counted."""
    known = values[np.isfinite(values)] if np.isfinite(values).any() else np.array([0.0, 1.0])
    span = int(np.ptp(known)) if whole else 5
    ticks = round_ticks(float(known.min()), float(known.max()), min(5, max(span, 1)))
    low, high = ticks[0][0], ticks[-1][0]
    named = [(value, short_number(value)) for value, _ in ticks if not whole or value == round(value)]
    return Scale(label, low, high, _apart(named, low, high))


def log_scale(values: np.ndarray, label: str) -> Scale:
    """Return the logarithmic axis of `values` (n,) float above 0, a little wider than they are."""
    known = np.log10(values[np.isfinite(values) & (values > 0)])
    margin = max(0.04 * float(np.ptp(known)), 0.02)
    low, high = float(known.min()) - margin, float(known.max()) + margin
    powers = range(int(np.floor(low)), int(np.ceil(high)) + 1)
    rounds = [float(factor * 10.0**power) for factor in MANTISSAS for power in powers]
    inside = [value for value in rounds if low <= np.log10(value) <= high]
    if len(inside) < 2:
        inside = [
            value for value, _ in round_ticks(10**low, 10**high, 4) if low <= np.log10(max(value, 1e-300)) <= high
        ]
    named = [(float(np.log10(value)), short_number(value)) for value in inside]
    ticks = [(10**place, text) for place, text in _apart(named, low, high)]
    return Scale(label, 10**low, 10**high, ticks, log=True)


def _apart(ticks: Iterable[tuple[float, str]], low: float, high: float) -> list[tuple[float, str]]:
    """Return the ticks, in order, whose texts do not overlap on a horizontal axis; earlier ones go first."""
    chosen: list[tuple[float, float, float, str]] = []
    for value, text in ticks:
        place = LEFT + (RIGHT - LEFT) * (value - low) / (high - low)
        half = (CHARACTER * len(text) + GAP) / 2
        if all(place - half >= end or place + half <= start for start, end, *_ in chosen):
            chosen.append((place - half, place + half, value, text))
    return sorted((value, text) for *_, value, text in chosen)


def short_number(value: float) -> str:
    """Return a number in few characters: 12,000,000 is 12M."""
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= size and (size > 1e3 or abs(value) >= 1e4):
            return f"{value / size:.4g}{letter}"
    text = f"{value:.6g}"
    return text if "e" not in text else text.replace("e-0", "e-").replace("e+0", "e")
