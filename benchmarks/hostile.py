"""2,000 hostile requests to one server, a few at a time: each must get a status from 400 to 499, or errors in its rows.

Random bytes, truncations, bombs, wrong types, wrong params, 10,000 rows, bodies of 60 MB, large pictures of heavy
formats, connections with half a header or half a body. After each hundred a good request is timed. `--command` serves
the app instead of `mlflow models serve`, as with "darkroom app", which gets --model and --port; a quarter of the
requests then goes to its other addresses.
"""

import argparse
import base64
import json
import random
import shlex
import shutil
import socket
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from http.client import HTTPConnection, HTTPException
from io import BytesIO
from itertools import islice

from cost import memory_of, session_members
from served_models import request, write_models
from working_copy import ROOT, empty_folder, print_table

from server import Server, running, served

sys.path.append(str(ROOT / "tests"))
from hostile_requests import JSON, bodies

CLIENTS = 4
LARGE_EVERY = 40  # one request of so many is of the large kinds
STALLED = 8  # connections that wait with half a request


def large_bodies() -> Iterator[bytes]:
    """Yield requests of 60 MB, those that take much more memory once parsed, and pictures that take much to decode."""
    from PIL import Image

    pictures = []
    for kind, side in (("PNG", 4900), ("WEBP", 3500), ("JPEG2000", 2800), ("PNG", 7000)):
        file = BytesIO()
        Image.new("RGBA", (side, side)).save(file, kind)
        pictures.append(json.dumps({"inputs": [base64.b64encode(file.getvalue()).decode()] * 8}).encode())
    while True:
        yield b"x" * 60_000_000
        yield b'{"inputs": ["' + b"A" * 31_000_000 + b'"]}'
        yield b'{"inputs": [' + b"[]," * 9_000_000 + b"1]}"
        yield b'{"instances": [{"image": "' + b"A" * 6_000_000 + b'"}' + b', {"image": ""}' * 900 + b"]}"
        yield from pictures


def app_attacks(chance: random.Random) -> Iterator[tuple[str, str, bytes]]:
    """Yield path, content type and body of requests to the app's other addresses."""
    form = "multipart/form-data; boundary=x"
    part = b'--x\r\nContent-Disposition: form-data; name="picture"; filename="a.png"\r\n\r\n%s\r\n'
    while True:
        noise = chance.randbytes(chance.randrange(1, 3000))
        yield "/predict", "image/png", noise
        yield "/predict", "image/png", b"x" * chance.choice([0, 30_000_000])
        yield "/feedback?label=0&predicted=1&version=1", "image/png", noise
        yield "/feedback?label=../x&predicted=%00&version=1", "image/png", noise
        yield "/outcomes", JSON, b"[" + b'{"request": "a", "label": "b"},' * chance.randrange(1, 500_000) + b"1]"
        yield "/outcomes", JSON, b"[" + b"[]," * chance.randrange(1, 9_000_000) + b"1]"
        yield "/outcomes", JSON, b"[" * chance.randrange(1, 200_000)
        yield "/", form, part % noise * chance.randrange(1, 200) + b"--x--"
        yield "/", form, part % b"" * 50_000 + b"--x--"
        yield "/", form, b"--x\r\n" + b"A: b\r\n" * chance.randrange(1, 3_000_000) + b"\r\n\r\n--x--"
        yield "/", form, b"--x\r\nContent-Disposition: " + b"; a=b" * chance.randrange(1, 50_000) + b"\r\n\r\n--x--"
        yield "/", "multipart/form-data; boundary=" + "y" * 5000, noise


def stall(port: int, ended: threading.Event) -> None:
    """Keep one connection after the other open with half a header or a body that arrives byte by byte."""
    chance = random.Random(port)
    while not ended.wait(0.1):
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
            connection.sendall(b"POST /invocations HTTP/1.1\r\nHost: a\r\nContent-Le")
            if chance.random() < 0.5:
                connection.sendall(b"ngth: 1000\r\nContent-Type: application/json\r\n\r\n")
            for _ in range(20):
                if not ended.wait(0.2):
                    connection.sendall(b"x")


def judge(port: int, path: str, kind: str | None, body: bytes) -> str:
    """Send one hostile request; return its status, or what is wrong with the answer."""
    connection = HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request("POST", path, body, {"Content-Type": kind} if kind else {})
        answer = connection.getresponse()
        text = answer.read()
    except BrokenPipeError:
        return "connection closed before the body was read"
    except (OSError, HTTPException) as error:
        return f"WRONG: {type(error).__name__}"
    finally:
        connection.close()
    if path == "/" and answer.status in (200, 400):
        return f"{answer.status}, the page"
    if answer.status == 200 and path != "/invocations":
        return "200, elsewhere"
    if answer.status == 200:
        rows = json.loads(text)["predictions"]
        return "200, errors in the rows" if all(row["error"] for row in rows) else "200, answered"
    if len(text) > 1000:
        return f"WRONG: {answer.status} with {len(text)} bytes"
    return str(answer.status) if 400 <= answer.status < 500 else f"WRONG: {answer.status}"


def watch_memory(server: Server, ended: threading.Event, peak: list[float]) -> None:
    """Note the most memory, in MB, of the server's largest process."""
    while not ended.wait(0.02):
        peak[0] = max(peak[0], *(memory_of(process) for process, _ in session_members(server.session)))


def attack(server: Server, count: int, good: bytes, app: bool) -> tuple[Counter[str], list[float]]:
    """Send `count` hostile requests; return how often each outcome came, and the milliseconds of good ones between."""
    chance, found, between = random.Random(0), Counter[str](), []
    small, large, others = bodies(chance), large_bodies(), app_attacks(chance)
    with ThreadPoolExecutor(CLIENTS) as pool:
        for start in range(0, count, 100):
            sent = [("/invocations", *one) for one in islice(small, min(100, count - start))]
            for place in range(0, len(sent), LARGE_EVERY):
                sent[place] = "/invocations", JSON, next(large)
            for place in range(1, len(sent) if app else 0, 4):
                sent[place] = next(others)
            found.update(pool.map(lambda one: judge(server.port, *one), sent))
            server.connection.close()
            between.append(server.ask("POST", "/invocations", good))
    return found, between


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=2000)
    parser.add_argument("--command", help="the app, which takes --model and --port")
    asked = parser.parse_args()
    with empty_folder() as copy:
        copy.env["UVICORN_LIMIT_CONCURRENCY"] = "64"  # as `make serve`
        model = write_models(copy.root / "32", 32)["onnx"]
        if asked.command:
            shutil.copy(ROOT / "params.yaml", copy.root)
            serving = running(copy, [*shlex.split(asked.command), "--model", "32/auto"])
        else:
            serving = served(copy, str(model))
        with serving as server:
            ended, peak, good = threading.Event(), [0.0], request("onnx", 32)
            idle = server.memory()
            others = [threading.Thread(target=stall, args=(server.port, ended), daemon=True) for _ in range(STALLED)]
            others.append(threading.Thread(target=watch_memory, args=(server, ended, peak), daemon=True))
            for thread in others:
                thread.start()
            found, between = attack(server, asked.requests, good, bool(asked.command))
            ended.set()
            print_table(["outcome", "requests"], *sorted(found.items()))
            figures = [idle, peak[0], server.memory(), max(between)]
            print_table(["", "MB before", "MB at most", "MB after", "ms of the slowest good one"], ["server", *figures])


if __name__ == "__main__":
    main()
