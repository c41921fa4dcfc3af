"""Numbers and names as the search report says them."""

from collections.abc import Mapping

COSTS = {"multiply_adds": "multiply-adds", "kilobytes": "kB of weights", "latency": "ms for a picture"}
MISSING = "\u2013"


def cost_name(cost: str) -> str:
    """Return the name of a cost, with its unit."""
    return COSTS.get(cost, cost.replace("_", " "))


def number(value: float | None) -> str:
    """Return a score."""
    return MISSING if value is None else f"{value:.4f}"


def count(many: int, word: str) -> str:
    """Return a count with its noun."""
    return f"{many:,} {word}" + ("" if many == 1 else "s")


def listed(values: Mapping[str, str]) -> str:
    """Return "key value" for each, in one line; values may hold commas."""
    return "; ".join(f"{name} {text}" for name, text in values.items())


def quantity(value: float) -> str:
    """Return a cost."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def capital(text: str) -> str:
    """Return a text with a capital at its start."""
    return text[:1].upper() + text[1:]
