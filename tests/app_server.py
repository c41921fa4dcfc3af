"""The app in a thread of the test, and questions to it."""

import http.client
import json
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from typing import Any

import numpy as np
from PIL import Image

from darkroom.app.application import build
from darkroom.app.feedback import Feedback
from darkroom.app.page import Page
from darkroom.app.parts import Parts
from darkroom.app.password import Password
from darkroom.app.serve import listen, make_parts, make_server
from darkroom.core.files import read_value, write_value
from darkroom.decision.familiarity import Familiarity
from darkroom.decision.rule import Rule
from darkroom.decision.saving import write_decision
from darkroom.package.bundle import bundle_digest, write_bundle
from darkroom.package.version import DIGEST
from defaults import default_params
from pictures import encode

COLOURS = ["red", "green", "blue"]
RED, BLUE, GREY = (encode(Image.new("RGB", (9, 9), name)) for name in ("red", "blue", "#505050"))


def bundle_of(folder: Path, channels: tuple[int, int, int] = (0, 1, 2)) -> Path:
    """Write the bundle of a network that answers with the mean colours, in the order of `channels`."""
    import keras

    params = default_params()
    image = params.image.model_copy(update={"size": 8})
    pixels = keras.Input((8, 8, 3))
    scaled = keras.layers.Conv2D(3, 1, use_bias=False, name="scale")(keras.layers.Rescaling(1 / 255)(pixels))
    means = keras.layers.GlobalAveragePooling2D(name="average")(scaled)
    last = keras.layers.Dense(3, use_bias=False, name="probabilities")
    network = keras.Model(pixels, last(means))
    network.get_layer("scale").set_weights([np.eye(3, dtype=np.float32)[None, None]])
    last.set_weights([np.eye(3, dtype=np.float32)[list(channels)]])
    network.save(folder / "model.keras")
    write_decision(folder / "decision", Rule(1.0, 0.9, 0.3), Familiarity(np.eye(3, dtype=np.float32), 1, 0.5))
    sample = np.random.default_rng(0).integers(0, 256, (8, 8, 8, 3), np.uint8)
    write_bundle(
        folder / "bundle", folder / "model.keras", folder / "decision", COLOURS, image, params.package, lambda: sample
    )
    return folder / "bundle"


def renamed(bundle: Path, folder: Path) -> Path:
    """Copy a bundle with its classes in the opposite order: another version, for which nothing is converted again."""
    shutil.copytree(bundle, folder)
    facts = read_value(folder / "bundle.json")
    write_value(folder / "bundle.json", {**facts, "classes": facts["classes"][::-1]}, ".json")
    (folder / DIGEST).write_text(bundle_digest(folder) + "\n", encoding="utf-8")
    return folder


@dataclass
class App:
    """An app that listens on `port`, and its parts."""

    port: int
    parts: Parts
    folder: Path

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, bytes, dict[str, str]]:
        """Return status, body and headers of a reply."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
        with connection.getresponse() as reply:
            found = reply.status, reply.read(), {name.lower(): value for name, value in reply.getheaders()}
        connection.close()
        return found

    def json(self, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        """Post `body` and return the status and the JSON of the reply."""
        status, content, _ = self.ask("POST", path, body, **headers)
        return status, json.loads(content)

    def wait(self, true: Callable[[], bool]) -> None:
        """Wait until something is true, such as that the log is written."""
        end = time.monotonic() + 60
        while not true():
            assert time.monotonic() < end, "never true"
            time.sleep(0.02)


@contextmanager
def running(
    model: Path | str, folder: Path, limit: int = 1_000_000, password: Password | None = None, connections: int = 50,
    **compare: Any,
) -> Iterator[App]:  # fmt: skip
    """Serve a model; feedback and the example lie in `folder`, `compare` changes the section ab of params.yaml."""
    params = default_params()
    params = params.model_copy(update={"ab": params.ab.model_copy(update=compare)})
    parts = make_parts(str(model), params)
    page = Page(parts, "darkroom", folder / "example.png", Feedback(folder / "feedback", 1_000_000))
    server = make_server(build(parts, page, limit, password, {"localhost"}), connections)
    with listen("127.0.0.1", 0) as opened:
        thread = Thread(target=server.run, kwargs={"sockets": [opened]})
        thread.start()
        while not server.started:
            time.sleep(0.01)
        try:
            yield App(opened.getsockname()[1], parts, folder)
        finally:
            server.should_exit = True
            thread.join(timeout=30)
