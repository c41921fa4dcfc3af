"""One 32x32 PNG over HTTP from `mlflow models serve`: wanted under 8 ms for half of the requests.

Beside it, in turn and over the same kept connection, the server's GET /ping, which does no work.
"""

import argparse
import base64
import json
from io import BytesIO
from statistics import quantiles

from working_copy import alternate, print_table, working_copy

from server import Server, served

SIDE = 32
BLOCK = 50  # requests of one kind before the other's turn
QUICK = {"tune.enabled": False, "train.epochs": 1, "image.size": SIDE}
Block = tuple[list[float], float]  # milliseconds of each request, CPU seconds of the server for all


def one_picture() -> bytes:
    """Return the request: a PNG of noise, which compresses worst, as base64."""
    from PIL import Image

    file = BytesIO()
    Image.effect_noise((SIDE, SIDE), 100).convert("RGB").save(file, "PNG")
    table = {"columns": ["image"], "data": [[base64.b64encode(file.getvalue()).decode()]]}
    return json.dumps({"dataframe_split": table}).encode()


def ask_often(server: Server, method: str, path: str, body: bytes | None = None) -> Block:
    """Ask the same again and again, one after the other."""
    before = server.cpu()
    milliseconds = [server.ask(method, path, body) for _ in range(BLOCK)]
    return milliseconds, server.cpu() - before


def row(name: str, blocks: list[Block]) -> list[object]:
    """Return a row of the table."""
    cuts = quantiles([one for milliseconds, _ in blocks for one in milliseconds], n=100)
    cpu = 1000 * sum(seconds for _, seconds in blocks) / (BLOCK * len(blocks))
    return [name, cuts[49], cuts[89], cuts[98], cpu]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=500)
    blocks = max(parser.parse_args().requests // BLOCK, 1)
    body = one_picture()
    with working_copy() as copy:
        copy.set(QUICK)
        copy.measure("dvc", "repro")
        with served(copy) as server:
            jobs = [lambda: ask_often(server, "POST", "/invocations", body), lambda: ask_often(server, "GET", "/ping")]
            alternate(2, *jobs)  # warm-up
            pictures, pings = alternate(blocks, *jobs)
    print_table(["ms", "p50", "p90", "p99", "server's CPU"], row("one picture", pictures), row("ping", pings))


if __name__ == "__main__":
    main()
