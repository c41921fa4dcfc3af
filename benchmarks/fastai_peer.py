"""fastai beside `darkroom begin`. Needs fastai, and nothing else.

python benchmarks/fastai_peer.py FOLDER SIDE SECONDS SEED    prints a line of JSON

FOLDER holds train/, val/ and test/. `vision_learner` with a resnet18 without given weights and fastai's augmentation,
`fit_one_cycle` for as many epochs as fit in SECONDS of CPU, by the cost of one epoch.
"""

import json
import sys
import time
from pathlib import Path

import torch
from fastai.vision import all as fastai

THREADS = 2
BATCH = 64  # fastai's own


def learner(folder: Path, side: int, seed: int) -> fastai.Learner:
    """Return the network and its batches."""
    fastai.set_seed(seed, reproducible=True)
    batches = fastai.ImageDataLoaders.from_folder(
        folder, train="train", valid="val", item_tfms=fastai.Resize(side), batch_tfms=fastai.aug_transforms(),
        bs=BATCH, num_workers=0, device=torch.device("cpu"),
    )  # fmt: skip
    return fastai.vision_learner(batches, fastai.resnet18, pretrained=False, metrics=fastai.accuracy)


def main() -> None:
    folder, side, seconds, seed = Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4])
    torch.set_num_threads(THREADS)
    begun = time.process_time()
    with learner(folder, side, seed).no_bar() as first:
        first.fit_one_cycle(1)
    epochs = max(round(seconds / (time.process_time() - begun)), 1)
    begun = time.process_time()
    with learner(folder, side, seed).no_bar() as trained:
        trained.fit_one_cycle(epochs)
    cpu = time.process_time() - begun
    pictures = trained.dls.test_dl(fastai.get_image_files(folder / "test"), with_labels=True)
    _, right = trained.validate(dl=pictures)
    print(json.dumps({"cpu": cpu, "epochs": epochs, "accuracy": 100 * float(right)}))


if __name__ == "__main__":
    main()
