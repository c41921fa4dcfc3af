"""Minutes of requests by 4 clients to `darkroom app`, then to `mlflow models serve`, each with the same champion.

Wanted of both over 10 minutes: no error, memory that grows by less than 5 %, p99 under 5 times p50. Every client has a
kept connection and sends one picture after the other, small PNGs and photographs in turn. The first minute warms up and
does not count. Memory is that of the process that answers; its growth is from the first quarter to the last one.
"""

import argparse
import base64
import json
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from io import BytesIO
from statistics import median, quantiles

from working_copy import WorkingCopy, print_table, working_copy

from server import CHAMPION, Server, running

APP = ["darkroom", "app"]
MLFLOW = ["mlflow", "models", "serve", "-m", CHAMPION, "--env-manager", "local"]
CLIENTS = 4
WARM_UP = 60.0  # seconds
QUICK = {"tune.enabled": False, "train.epochs": 2, "image.size": 32}
PICTURES = [(32, 32, "PNG")] * 3 + [(500, 375, "JPEG")]  # width, height, format


@dataclass
class Soak:
    """What the clients saw: milliseconds of the answered requests, errors by their text, MB of the server by second."""

    milliseconds: list[float] = field(default_factory=list)
    errors: Counter[str] = field(default_factory=Counter)
    megabytes: list[float] = field(default_factory=list)

    @property
    def growth(self) -> float:
        """Return by how many percent the last quarter's median memory is above that of the first one."""
        quarter = max(len(self.megabytes) // 4, 1)
        return 100 * (median(self.megabytes[-quarter:]) / median(self.megabytes[:quarter]) - 1)


def bodies() -> list[bytes]:
    """Return a request for each of PICTURES, of coloured noise, which compresses worst."""
    from PIL import Image

    found = []
    for width, height, kind in PICTURES:
        file = BytesIO()
        Image.merge("RGB", [Image.effect_noise((width, height), 80) for _ in "RGB"]).save(file, kind)
        table = {"columns": ["image"], "data": [[base64.b64encode(file.getvalue()).decode()]]}
        found.append(json.dumps({"dataframe_split": table}).encode())
    return found


def ask(connection: HTTPConnection, body: bytes) -> str | None:
    """Send a request; return what is wrong with the answer, or None."""
    try:
        connection.request("POST", "/invocations", body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        content = answer.read()
        if answer.status != 200:
            return f"{answer.status}: {content[:80]!r}"
        (row,) = json.loads(content)["predictions"]
        error: str | None = row["error"]
        return error
    except (OSError, HTTPException) as error:
        connection.close()
        return type(error).__name__


def ask_until(end: float, server: Server, counted: float, requests: list[bytes], soak: Soak) -> None:
    """Ask again and again until the time `end`; what was begun after `counted` goes to `soak`, and every error."""
    connection, number = HTTPConnection("127.0.0.1", server.port, timeout=60), 0
    while (begun := time.perf_counter()) < end:
        problem = ask(connection, requests[number % len(requests)])
        if problem:
            soak.errors[problem] += 1
        elif begun > counted:
            soak.milliseconds.append(1000 * (time.perf_counter() - begun))
        number += 1


def run(server: Server, seconds: float) -> Soak:
    """Let the clients ask for the seconds given, after the warm-up."""
    soak, requests = Soak(), bodies()
    counted = time.perf_counter() + WARM_UP
    end = counted + seconds
    arguments = (end, server, counted, requests, soak)
    clients = [threading.Thread(target=ask_until, args=arguments) for _ in range(CLIENTS)]
    for client in clients:
        client.start()
    while (now := time.perf_counter()) < end:
        if now > counted:
            soak.megabytes.append(server.memory())
        time.sleep(1)
    for client in clients:
        client.join()
    return soak


def row(name: str, copy: WorkingCopy, command: list[str], seconds: float) -> list[object]:
    """Return the row of a server in the table; prints its errors."""
    with running(copy, command) as server:
        soak = run(server, seconds)
    for text, times in soak.errors.most_common(5):
        print(f"{name}: {times} x {text}")
    cuts = quantiles(soak.milliseconds, n=100)
    rate = len(soak.milliseconds) / seconds
    memory = [soak.megabytes[0], max(soak.megabytes), soak.growth]
    return [name, len(soak.milliseconds), soak.errors.total(), rate, cuts[49], cuts[98], cuts[98] / cuts[49], *memory]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10, help="of each server, after a minute of warm-up")
    seconds = 60 * parser.parse_args().minutes
    with working_copy() as copy:
        copy.set(QUICK)
        copy.measure("dvc", "repro")
        rows = [row("darkroom app", copy, APP, seconds), row("mlflow models serve", copy, MLFLOW, seconds)]
    header = ["", "requests", "errors", "pictures/s", "p50 ms", "p99 ms", "p99 / p50", "MB", "peak MB", "growth %"]
    print_table(header, *rows)


if __name__ == "__main__":
    main()
