"""What a user probably meant."""

from collections.abc import Iterable
from difflib import get_close_matches


def nearest(name: str, known: Iterable[str]) -> str:
    """Return the end of a message about an unknown name: the known one most like it, else the first 12 of them."""
    shown = 12
    names = list(known)
    match = get_close_matches(name, names, n=1, cutoff=0.4)
    return (
        f"; did you mean {match[0]}?"
        if match
        else f"; known: {', '.join(names[:shown])}{', ...' if len(names) > shown else ''}"
    )
