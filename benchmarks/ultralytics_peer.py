"""ultralytics beside `darkroom begin`. Needs ultralytics, and nothing else.

python benchmarks/ultralytics_peer.py FOLDER SIDE SECONDS SEED    prints a line of JSON

FOLDER holds train/, val/ and test/. yolo11n-cls, from scratch, with all other settings as they are, for as many epochs
as fit in SECONDS of CPU, by the cost of one epoch.
"""

import json
import sys
import time
from itertools import pairwise
from pathlib import Path

import torch
from ultralytics import YOLO

THREADS = 2


def train(folder: Path, side: int, epochs: int, seed: int) -> tuple[YOLO, list[float]]:
    """Return the network of the best epoch, and the CPU seconds of each epoch."""
    clocks = []
    network = YOLO("yolo11n-cls.yaml")
    network.add_callback("on_train_epoch_start", lambda _: clocks.append(time.process_time()))
    network.train(
        data=str(folder), imgsz=side, epochs=epochs, seed=seed, workers=0, device="cpu", plots=False, pretrained=False,
        verbose=False, project=str(folder.parent / "runs"), name=f"{epochs}-{seed}", exist_ok=True,
    )  # fmt: skip
    clocks.append(time.process_time())
    return network, [end - start for start, end in pairwise(clocks)]


def main() -> None:
    folder, side, seconds, seed = Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4])
    torch.set_num_threads(THREADS)
    _, (epoch, *_) = train(folder, side, 1, seed)
    begun = time.process_time()
    network, each = train(folder, side, max(round(seconds / epoch), 1), seed)
    cpu = time.process_time() - begun
    top1 = network.val(data=str(folder), split="test", imgsz=side, plots=False, verbose=False, workers=0).top1
    print(json.dumps({"cpu": cpu, "epochs": len(each), "accuracy": 100 * float(top1)}))


if __name__ == "__main__":
    main()
