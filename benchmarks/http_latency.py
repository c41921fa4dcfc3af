"""Pictures over HTTP from `mlflow models serve`, one worker: latency, throughput, memory, start.

Three servers answer in turn, of one network: ours with ONNX Runtime, ours with TensorFlow, and MLflow's own flavour of
Keras, which takes numbers in JSON. Beside them GET /ping, which does no work. At 32x32 the picture is a PNG and the
network that of params.yaml; at 224x224 a JPEG of 500x375 and a MobileNet of width 0.25.
"""

import argparse
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from http.client import HTTPConnection
from statistics import quantiles
from time import perf_counter

from served_models import PLAIN, request, write_models
from working_copy import alternate, empty_folder, print_table

from server import Server, served, timed

CLIENTS, MANY = 8, 32
HEADER = ["ms", "p50", "p90", "p99", "server's CPU"]
Block = tuple[list[float], float]  # milliseconds of each request, CPU seconds of the server for all


def ask_often(server: Server, count: int, method: str, path: str, body: bytes | None = None) -> Block:
    """Ask the same again and again, one after the other."""
    server.connection.close()  # an idle one may be closed by the server
    server.ask("GET", "/ping")
    before = server.cpu()
    milliseconds = [server.ask(method, path, body) for _ in range(count)]
    return milliseconds, server.cpu() - before


def rate(server: Server, body: bytes, pictures: int, requests: int, clients: int = CLIENTS) -> float:
    """Return the pictures per second that `clients` at a time get answered, each on a connection that it keeps."""

    def client(_: int) -> None:
        connection = HTTPConnection("127.0.0.1", server.port, timeout=60)
        for _ in range(requests // clients):
            timed(connection, "POST", "/invocations", body)
        connection.close()

    start = perf_counter()
    with ThreadPoolExecutor(clients) as pool:
        list(pool.map(client, range(clients)))
    return pictures * (requests // clients) * clients / (perf_counter() - start)


def row(name: str, blocks: list[Block]) -> list[object]:
    """Return a row of the table of latencies."""
    every = [one for milliseconds, _ in blocks for one in milliseconds]
    cuts = quantiles(every, n=100)
    return [name, cuts[49], cuts[89], cuts[98], 1000 * sum(seconds for _, seconds in blocks) / len(every)]


def measure(servers: dict[str, Server], size: int, rounds: int) -> None:
    """Print what the servers take and give, in turn."""
    jobs: dict[str, Callable[[], Block]] = {}
    for form, server in servers.items():
        body, count = request(form, size), 5 if form == PLAIN and size > 32 else 50
        jobs[form] = lambda server=server, body=body, count=count: ask_often(  # type: ignore[misc]
            server, count, "POST", "/invocations", body
        )
    jobs["ping"] = lambda: ask_often(servers["onnx"], 50, "GET", "/ping")
    alternate(2, *jobs.values())  # warm-up
    blocks = alternate(rounds, *jobs.values())
    print_table(HEADER, *(row(f"{name}, {size} px", found) for name, found in zip(jobs, blocks, strict=True)))
    table = []
    for form, server in servers.items():
        one, many = request(form, size), request(form, size, MANY)
        few = 16 if form == PLAIN and size > 32 else 320
        kinds = [
            lambda server=server, one=one, few=few: rate(server, one, 1, few, 1),
            lambda server=server, one=one, few=few: rate(server, one, 1, few),
            lambda server=server, many=many, few=few: rate(server, many, MANY, max(few // MANY, 2), 1),
        ]
        found = [sorted(column)[len(column) // 2] for column in alternate(3, *kinds)]
        table.append([f"{form}, {size} px", *found, found[2] / found[0], server.memory(), server.first_answer])
    header = ["pictures/s", "1 client", f"{CLIENTS} clients", f"{MANY} a request", "ratio", "MB", "start s"]
    print_table(header, *table)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=8, help="blocks of 50 requests")
    parser.add_argument("--sizes", type=int, nargs="+", default=[32, 224], choices=[32, 224])
    asked = parser.parse_args()
    with empty_folder() as copy:
        for size in asked.sizes:
            models = write_models(copy.root / str(size), size)
            with ExitStack() as stack:
                servers = {form: stack.enter_context(served(copy, str(model))) for form, model in models.items()}
                measure(servers, size, asked.rounds)


if __name__ == "__main__":
    main()
