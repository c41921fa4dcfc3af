"""Corrected pictures that the page saves: of one picture's size at most, and not more than the disk is to hold."""

from pathlib import Path
from threading import Lock
from time import monotonic

from darkroom.app.replies import Refused
from darkroom.core.feedback import save_feedback
from darkroom.images.suffixes import suffix_of

COUNT_SECONDS = 60.0  # between two looks at a folder that is full


class Feedback:
    """The folder for feedback, which holds at most `most` bytes."""

    def __init__(self, folder: Path, most: int) -> None:
        self.folder, self.most = folder, most
        self._lock = Lock()
        self._used, self._counted = 0, -COUNT_SECONDS

    def save(self, data: bytes, label: str, predicted: str, version: str) -> Path:
        """Keep a picture; raises Refused when the folder is full, and ValueError as save_feedback does."""
        with self._lock:
            first = self._counted < 0
            if first or (self._used + len(data) > self.most and monotonic() > self._counted + COUNT_SECONDS):
                self._used = sum(file.stat().st_size for file in self.folder.rglob("*") if file.is_file())
                self._counted = monotonic()
            if self._used + len(data) > self.most:
                raise Refused(507, f"feedback may hold {self.most:,} bytes (app.feedback_bytes), and does")
            path = save_feedback(self.folder, data, suffix_of(data), label, predicted, version)
            self._used += len(data)
            return path
