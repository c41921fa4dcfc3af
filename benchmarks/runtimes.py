"""What runs a served network best: TensorFlow, ONNX Runtime with one or two threads, or LiteRT behind a lock.

One, four and eight clients (threads) ask for one picture at a time, then one asks for 32 at once. Each runtime has a
process of its own, which imports nothing else of weight. Beside the rates: the largest difference of a probability
from Keras's, memory, and the CPU seconds from the start of the process to the first answer.
"""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from working_copy import print_table

CLIENTS = (1, 4, 8)
SECONDS = 2.0  # of each number of clients
RUNTIMES = ("tensorflow", "onnx 1 thread", "onnx 2 threads", "onnx 2 spinning", "litert 1 thread", "litert 2 threads")
Run = Callable[[np.ndarray], np.ndarray]  # pictures (n, side, side, 3) uint8 -> probabilities


def write_networks(folder: Path, weights: Path | None) -> dict[str, int]:
    """Write two networks for each runtime, pictures and Keras's answers on them; return their sides."""
    import keras

    from darkroom.export.writing import served_network, write_model
    from darkroom.graphs.convert import network_to_onnx
    from darkroom.models.architecture import build_network
    from darkroom.params.load import load_params

    model, sides = load_params(Path(__file__).parents[1] / "params.yaml").model, {"conv": 32, "MobileNet": 224}
    backbone = {"architecture": "MobileNet", "width": 0.25 if weights else 1.0, "head": "average", "dense": []}
    for name, changes in {"conv": {}, "MobileNet": backbone}.items():
        keras.utils.set_random_seed(0)
        network, side = build_network(model.model_copy(update=changes), sides[name], 10), sides[name]
        if weights and name == "MobileNet":
            network.get_layer("backbone").load_weights(weights)
        pixels = np.random.default_rng(0).integers(0, 256, (32, side, side, 3), np.uint8)
        network.save(folder / f"{name}.keras")
        (folder / f"{name}.onnx").write_bytes(network_to_onnx(network))
        write_model(served_network(network, 1.0), "litert", "float32", folder / f"{name}.tflite")
        np.savez(folder / f"{name}.npz", pixels=pixels, answers=network.predict(pixels, verbose=0))
    return sides


def tensorflow_run(folder: Path, name: str, _: str) -> Run:
    from darkroom.package.engine import load_engine

    (folder / name).mkdir(exist_ok=True)
    shutil.copyfile(folder / f"{name}.keras", folder / name / "model.keras")
    engine = load_engine(folder / name, "keras", np.load(folder / f"{name}.npz")["pixels"].shape[1])
    return lambda batch: engine(batch)[0]


def onnx_run(folder: Path, name: str, variant: str) -> Run:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = int(variant[0]), 1
    options.add_session_config_entry("session.intra_op.allow_spinning", str(int("spinning" in variant)))
    session = onnxruntime.InferenceSession(folder / f"{name}.onnx", options, providers=["CPUExecutionProvider"])
    return lambda batch: np.asarray(session.run(["probabilities"], {"pixels": batch})[0])


def litert_run(folder: Path, name: str, variant: str) -> Run:
    from ai_edge_litert.interpreter import Interpreter

    runner = Interpreter(str(folder / f"{name}.tflite"), num_threads=int(variant[0])).get_signature_runner()
    (entry,), lock = runner.get_input_details(), threading.Lock()

    def run(batch: np.ndarray) -> np.ndarray:
        with lock:  # an interpreter has one set of tensors
            (answers,) = runner(**{entry: batch}).values()
            return np.array(answers)

    return run


def measure(folder: Path, name: str, runtime: str) -> dict[str, Any]:
    """Measure one runtime in this process."""
    kind, _, variant = runtime.partition(" ")
    run = {"tensorflow": tensorflow_run, "onnx": onnx_run, "litert": litert_run}[kind](folder, name, variant)
    known = np.load(folder / f"{name}.npz")
    pixels = known["pixels"]
    run(pixels[:1])
    found: dict[str, Any] = {"start": time.process_time()}
    found["difference"] = float(np.abs(run(pixels) - known["answers"]).max())
    assert found["difference"] < 1e-4, "it computes something else"  # false for NaN too
    for clients in CLIENTS:
        found[f"rate{clients}"], found[f"p50{clients}"], found[f"cpu{clients}"] = together(run, pixels, clients)
    start = time.perf_counter()
    for _ in range(5):
        run(pixels)
    found["rate32"] = 5 * len(pixels) / (time.perf_counter() - start)
    status = Path("/proc/self/status").read_text()
    found["memory"] = int(status.split("VmRSS:")[1].split()[0]) / 1024
    return found


def together(run: Run, pixels: np.ndarray, clients: int) -> tuple[float, float, float]:
    """Return pictures a second, the median of an answer's milliseconds, CPU milliseconds a picture."""
    times: list[float] = []
    end = time.perf_counter() + SECONDS

    def client(number: int) -> None:
        while time.perf_counter() < end:
            start = time.perf_counter()
            run(pixels[number : number + 1])
            times.append(time.perf_counter() - start)

    before, start = time.process_time(), time.perf_counter()
    threads = [threading.Thread(target=client, args=(number,)) for number in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = time.perf_counter() - start
    return len(times) / seconds, 1000 * median(times), 1000 * (time.process_time() - before) / len(times)


def measured_apart(folder: Path, name: str, runtime: str) -> dict[str, Any]:
    """Measure one runtime in a process of its own."""
    command = [sys.executable, __file__, "--child", str(folder), name, runtime]
    found: dict[str, Any] = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    return found


def row(runtime: str, found: list[dict[str, Any]]) -> list[object]:
    """Return a row of the table: the medians of the rounds."""
    keys = [f"{what}{clients}" for clients in CLIENTS for what in ("rate", "p50", "cpu")]
    values = {key: median(one[key] for one in found) for key in (*keys, "rate32", "memory", "start", "difference")}
    return [
        runtime,
        *(f"{values[key]:.3g}" for key in (*keys, "rate32", "memory", "start")),
        f"{values['difference']:.0e}",
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weights", type=Path, help="a file without the top of a MobileNet of width 0.25")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--child", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        folder, name, runtime = options.child
        print(json.dumps(measure(Path(folder), name, runtime)))
        return
    with tempfile.TemporaryDirectory() as folder:
        for name in write_networks(Path(folder), options.weights):
            rounds = [{one: measured_apart(Path(folder), name, one) for one in RUNTIMES} for _ in range(options.rounds)]
            head = [f"{what} at {clients}" for clients in CLIENTS for what in ("/s", "p50 ms", "CPU ms")]
            rows = [row(runtime, [one[runtime] for one in rounds]) for runtime in RUNTIMES]
            print_table([name, *head, "/s of 32", "MB", "start CPU s", "difference"], *rows)


if __name__ == "__main__":
    main()
