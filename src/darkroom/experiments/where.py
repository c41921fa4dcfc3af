"""The filter of `darkroom runs --where`: comparisons of keys with values, joined by `and`, `or` and parentheses."""

import operator
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from darkroom.core.errors import UserError
from darkroom.core.suggestions import nearest

Values = Mapping[str, str | float]
TOKEN = re.compile(r"""\s*(?:(?P<quoted>'[^']*'|"[^"]*")|(?P<sign>[()]|[=!<>]=|[=<>])|(?P<word>[^\s()=!<>'"]+))""")
SIGNS: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
ORDERS = {"<", "<=", ">", ">="}
OPERATORS = {*SIGNS, "contains"}
TEXTS = {"name", "started", "commit", "alias", "status", "id"}  # ordered as texts, even where they look like numbers
BETWEEN = re.compile(r"[\s'\"]")  # what lists may be written with or without
SAME = {"null": "none"}  # as YAML writes it, and as MLflow has it
EXAMPLE = "as in 'test accuracy > 0.9 and model.architecture = conv'"
DEEPEST = 50  # parentheses within each other


@dataclass(frozen=True)
class Predicate:
    """A key, an operator of `OPERATORS` and a value; a key that a row lacks has the empty text.

    Texts are the same whatever the case of their letters, and lists whatever their spaces and quotes. An order holds
    only between numbers, or for a key of `TEXTS`.
    """

    key: str
    operator: str
    value: str

    def holds(self, values: Values) -> bool:
        """Return whether it is true of a row."""
        found = values.get(self.key, "")
        own, wanted = _text(found), _text(self.value)
        if own.startswith("["):
            own, wanted = BETWEEN.sub("", own), BETWEEN.sub("", wanted)
        if self.operator == "contains":
            return wanted in own
        amounts = None if self.key in TEXTS else (number(found), number(self.value))
        if amounts and amounts[0] is not None and amounts[1] is not None:
            return SIGNS[self.operator](*amounts)
        if self.operator in ORDERS and (amounts or not own):
            return False
        return SIGNS[self.operator](own, wanted)


@dataclass(frozen=True)
class Joined:
    """Conditions of which every one must hold, or any."""

    every: bool
    parts: "tuple[Condition, ...]"

    def holds(self, values: Values) -> bool:
        """Return whether it is true of a row."""
        return (all if self.every else any)(part.holds(values) for part in self.parts)


Condition = Predicate | Joined


def number(value: str | float) -> float | None:
    """Return a value, or a text that is a number, as one; None for other texts and NaN."""
    try:
        found = float(value)
    except ValueError:
        return None
    return found if found == found else None


def find_key(text: str, known: Iterable[str]) -> str:
    """Return the one of `known` keys that `text` means; spaces count as underscores, and the case does not count.

    Raises UserError with the nearest key.
    """
    keys = {_plain(key): key for key in known}
    if _plain(text) not in keys:
        raise UserError(f"no run has {text!r}{nearest(_plain(text), keys)}")
    return keys[_plain(text)]


def parse(text: str, known: Iterable[str]) -> Condition:
    """Return the condition that `text` states about `known` keys.

    Raises UserError for text that is not a condition, an unknown key, or < and > with a value that is not a number.
    """
    reader = _Reader(_tokens(text), list(known))
    found = reader.any_of(0)
    if reader.tokens:
        raise UserError(f"--where: {reader.tokens[0][1]!r} is not expected here; join comparisons by and, or")
    return found


def _tokens(text: str) -> list[tuple[str, str]]:
    """Return pairs of a kind (quoted, sign, word) and a text; `and`, `or` and `contains` are signs."""
    found, place = [], 0
    while text[place:].strip():
        match = TOKEN.match(text, place)
        if match is None:
            raise UserError(
                f"--where: {text[place:].strip()[:20]!r} cannot be read; a quote is open, or a sign unknown"
            )
        kind, token = str(match.lastgroup), match[str(match.lastgroup)]
        if kind == "word" and token.lower() in ("and", "or", "contains"):
            kind, token = "sign", token.lower()
        found.append((kind, token[1:-1] if kind == "quoted" else token))
        place = match.end()
    return found


class _Reader:
    """Takes the tokens from the left; `and` binds more closely than `or`."""

    def __init__(self, tokens: list[tuple[str, str]], known: list[str]) -> None:
        self.tokens = tokens
        self.known = known

    def any_of(self, depth: int) -> Condition:
        """Take conditions joined by `or`; `depth` is the number of parentheses around them."""
        parts = [self._all_of(depth)]
        while self._takes("or"):
            parts.append(self._all_of(depth))
        return parts[0] if len(parts) == 1 else Joined(False, tuple(parts))

    def _all_of(self, depth: int) -> Condition:
        parts = [self._single(depth)]
        while self._takes("and"):
            parts.append(self._single(depth))
        return parts[0] if len(parts) == 1 else Joined(True, tuple(parts))

    def _single(self, depth: int) -> Condition:
        if not self._takes("("):
            return self._predicate()
        if depth == DEEPEST:
            raise UserError(f"--where: more than {DEEPEST} parentheses within each other")
        inner = self.any_of(depth + 1)
        if not self._takes(")"):
            raise UserError("--where: a parenthesis is not closed")
        return inner

    def _predicate(self) -> Predicate:
        words = self._words()
        sign = self.tokens.pop(0)[1] if self.tokens else "the end"
        if not words or sign not in OPERATORS:
            raise UserError(
                f"--where: {sign} stands where {'an operator' if words else 'a key'} is expected; {EXAMPLE}"
            )
        try:
            key = find_key(" ".join(words), self.known)
        except UserError as error:
            raise UserError(f"--where: {error}") from None
        values = self._words()
        if not values:
            raise UserError(f"--where: {key} {sign} needs a value; quote one with signs in it, and the empty one: ''")
        value = " ".join(values)
        if sign in ORDERS and key not in TEXTS and number(value) is None:
            raise UserError(f"--where: {key} {sign} {value}: {value!r} is not a number; = and contains compare texts")
        return Predicate(key, sign, value)

    def _words(self) -> list[str]:
        found = []
        while self.tokens and self.tokens[0][0] != "sign":
            found.append(self.tokens.pop(0)[1])
        return found

    def _takes(self, sign: str) -> bool:
        if self.tokens[:1] != [("sign", sign)]:
            return False
        self.tokens.pop(0)
        return True


def _plain(text: str) -> str:
    return text.strip().replace(" ", "_").lower()


def _text(value: str | float) -> str:
    text = str(value).lower()
    return SAME.get(text, text)


def keys_of(condition: Condition | None) -> list[str]:
    """Return the keys that a condition is about."""
    if isinstance(condition, Joined):
        return [key for part in condition.parts for key in keys_of(part)]
    return [condition.key] if condition else []
