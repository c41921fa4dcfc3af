"""What the application is made of."""

from dataclasses import dataclass

from darkroom.app.answering import Answering
from darkroom.app.metrics import Metrics
from darkroom.app.models import Models
from darkroom.app.recording import Recorder


@dataclass(frozen=True)
class Parts:
    """What all endpoints share."""

    models: Models
    metrics: Metrics
    recorder: Recorder
    answering: Answering

    def close(self) -> None:
        """Let the answers at work end, then write what is to be logged."""
        self.answering.threads.shutdown()
        self.recorder.close()
        self.models.close()
