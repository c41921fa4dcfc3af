"""The versions that answer, and their exchange for newer ones while the app runs."""

import logging
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from threading import Event, Thread
from time import monotonic
from typing import TYPE_CHECKING, Any

from darkroom.core.errors import UserError, first_line
from darkroom.serving.bundles import CHAMPION, load_served, open_bundle
from darkroom.tracking.store import connect

if TYPE_CHECKING:
    from mlflow import MlflowClient

    from darkroom.package.answers import Answers

logger = logging.getLogger(__name__)
SECONDS = 5.0  # between two looks at the store
RETRY_SECONDS = 60.0  # until a version that could not be loaded is tried again
ALIASES = (CHAMPION, "challenger")


@dataclass(frozen=True)
class Served:
    """A version in memory; `asked` is how it was opened, and closing `files` deletes what was fetched of it."""

    answers: "Answers"
    asked: str
    files: ExitStack = field(default_factory=ExitStack)

    @property
    def version(self) -> str:
        """The number of the version, or the first digits of a bundle's digest."""
        return self.answers.version


def open_served(asked: str) -> Served:
    """Load a version number, "champion" or a folder; raises UserError."""
    with ExitStack() as files:
        answers = load_served(files.enter_context(open_bundle(asked)))
        if not hasattr(answers, "detailed"):
            raise UserError("this version was packaged by an older darkroom; run `make repro` to package it anew", 1)
        if asked.isdecimal():
            answers = replace(answers, version=asked)
        return Served(answers, asked, files.pop_all())


class Models:
    """The champion and, where they are compared, the challenger; a thread follows the aliases of the store.

    `loaded` is told "loaded" or "failed" after each attempt to load another version.
    """

    def __init__(self, served: Served, loaded: Callable[[str], None] = lambda _: None) -> None:
        self.champion, self.loaded = served, loaded
        self.challenger: Served | None = None
        self._failed: dict[str, tuple[str, float]] = {}  # alias -> the version that could not be loaded, and when
        self._stopped = Event()
        self._thread: Thread | None = None

    @property
    def classes(self) -> set[str]:
        """The classes of all versions that answer."""
        return {name for served in (self.champion, self.challenger) if served for name in served.answers.classes}

    def follow(self, name: str, compare: bool, seconds: float = SECONDS) -> None:
        """Look every `seconds` where the aliases of the model `name` point, the challenger's only to `compare`."""
        aliases = ALIASES if compare else ALIASES[:1]
        self._thread = Thread(target=self._run, args=(name, aliases, seconds), name="models", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop the thread and delete what was fetched."""
        self._stopped.set()
        if self._thread:
            self._thread.join(timeout=10)
        for served in (self.champion, self.challenger):
            if served:
                served.files.close()

    def look(self, client: "MlflowClient", name: str, aliases: tuple[str, ...]) -> None:
        """Load the versions to which the aliases have moved; the old ones answer until then, and after a failure."""
        numbers = client.get_registered_model(name).aliases
        for alias in aliases:
            number = str(numbers[alias]) if alias in numbers else None
            current: Served | None = getattr(self, alias)
            if number and number != (current.asked if current else None) and not self._failed_lately(alias, number):
                self._exchange(alias, number, current)
            elif alias != CHAMPION and number is None and current:
                self.challenger = None
                current.files.close()

    def _exchange(self, alias: str, number: str, current: Served | None) -> None:
        try:
            served = open_served(number)
        except Exception as error:
            self.loaded("failed")
            known, _ = self._failed.get(alias, ("", 0.0))
            self._failed[alias] = number, monotonic()
            if known == number:
                return
            stays = f"version {current.version} stays the {alias}" if current else f"there is no {alias}"
            logger.warning("version %s could not be loaded: %s; %s", number, first_line(error)[:200], stays)
            return
        self._failed.pop(alias, None)
        setattr(self, alias, served)
        self.loaded("loaded")
        logger.info("version %s is the %s now", number, alias)
        if current:
            current.files.close()

    def _failed_lately(self, alias: str, number: str) -> bool:
        known, when = self._failed.get(alias, ("", 0.0))
        return known == number and monotonic() < when + RETRY_SECONDS

    def _run(self, name: str, aliases: tuple[str, ...], seconds: float) -> None:
        client: Any = None
        reported = ""
        while not self._stopped.wait(seconds if client or reported else 0):
            try:
                client = client or connect()
                self.look(client, name, aliases)
                reported = ""
            except Exception as error:  # a store that is away comes back; the versions in memory go on answering
                problem = first_line(error)[:200]
                if problem != reported:
                    logger.warning("the store cannot be read, and versions stay as they are: %s", problem)
                reported = problem


def open_first(model: str, name: str) -> Served:
    """Load what the app begins with: for the champion its version by number, so that a later move is seen."""
    if model != CHAMPION:
        return open_served(model)
    from darkroom.tracking.champion import champion_version

    number = None
    try:
        found = champion_version(connect(), name)
        number = found and str(found.version)
    except Exception as error:
        from darkroom.tracking.store import store_error

        raise store_error(error, "looking for the champion") from None
    if number is None:
        raise UserError(f"{name} has no champion yet; run `make repro` first, or give --model a folder", 1)
    return open_served(number)
