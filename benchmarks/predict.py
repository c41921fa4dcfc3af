"""`darkroom predict` on a folder beside its bare network on arrays in memory: wanted 0.8 of its rate.

PICTURES is a folder, unpacked, of 32x32 files such as CIFAR-10's. Three measurements, each with untrained weights:

- the network of recipe cifar10-cnn on --pictures of them, decoded beforehand, and the command on the files, in turn;
- MobileNet of width 0.25 at 128 pixels on files of 300x240, enlarged from the same pictures and saved as JPEG;
- the peak memory of one command on all of PICTURES.

Decoding takes the cores that the network could use: the last column, from the CPU time of a picture, is the ratio that
both could reach were all cores busy all the time.
"""

import argparse
import re
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from working_copy import ROOT, WorkingCopy, alternate, print_table, working_copy

Timing = tuple[float, float]  # pictures a second, CPU microseconds a picture


def write_model(folder: Path, size: int, changes: dict[str, Any]) -> Path:
    """Write a bundle with an untrained network of ten classes and return it."""
    from darkroom.decision.familiarity import Familiarity, unit_rows
    from darkroom.decision.rule import Rule
    from darkroom.decision.saving import write_decision
    from darkroom.models.architecture import build_network
    from darkroom.models.features import with_features
    from darkroom.package.bundle import write_bundle
    from darkroom.params.load import load_params

    params = load_params(ROOT / "params.yaml")
    network = build_network(params.model.model_copy(update=changes), size, 10)
    folder.mkdir()
    network.save(folder / "model.keras")
    features = with_features(network).output_shape[1][-1]
    reference = unit_rows(np.random.default_rng(1).normal(size=(2000, features)).astype(np.float32))
    write_decision(folder / "decision", Rule(1.0, 0.9, 0.05), Familiarity(reference, 10, 1.5))
    image = params.image.model_copy(update={"size": size})
    names = [f"class {number}" for number in range(10)]
    pixels = np.random.default_rng(2).integers(0, 256, (8, size, size, 3)).astype(np.uint8)
    parts = folder / "model.keras", folder / "decision", names, image, params.package
    write_bundle(folder / "bundle", *parts, lambda: pixels)
    return folder / "bundle"


def write_large(files: list[Path], folder: Path) -> list[Path]:
    """Write the pictures in 300x240."""
    from PIL import Image

    folder.mkdir()
    large = [folder / f"{number:05}.jpg" for number in range(len(files))]
    for file, path in zip(files, large, strict=True):
        Image.open(file).convert("RGB").resize((300, 240), Image.Resampling.BICUBIC).save(path, quality=90)
    return large


def timed(count: int, job: Callable[[], object]) -> Timing:
    start, cpu = time.perf_counter(), time.process_time()
    job()
    return count / (time.perf_counter() - start), 1e6 * (time.process_time() - cpu) / count


def compare(name: str, bundle: Path, files: list[Path], rounds: int, copy: WorkingCopy) -> list[object]:
    """Return a row of the table: both rates, their ratio, CPU time of network and decoding, the bound."""
    from joblib import cpu_count

    from darkroom.serving.bundles import load_served

    answers = load_served(bundle)
    pixels = np.stack([answers.decode(file.read_bytes()) for file in files])
    listed = copy.root / "files.csv"
    listed.write_text("\n".join(["path", *map(str, files)]), encoding="utf-8")
    command = ["darkroom", "predict", "files.csv", "--model", str(bundle), "--output", "out.csv"]

    def network() -> None:
        for start in range(0, len(files), answers.at_once):
            answers.engine(pixels[start : start + answers.at_once])

    def decoding() -> None:
        for file in files:
            answers.decode(file.read_bytes())

    def whole() -> float:
        """Return the rate that the command names: of all but its start."""
        return float(re.findall(r"([\d,]+) a second", copy.measure(*command).output)[0].replace(",", ""))

    bare, whole_rates, decoded = alternate(
        rounds, lambda: timed(len(files), network), whole, lambda: timed(len(files), decoding)
    )
    ratio = median(rate / one for (one, _), rate in zip(bare, whole_rates, strict=True))
    rate, used, decode_used = (
        median(one for one, _ in bare),
        median(us for _, us in bare),
        median(us for _, us in decoded),
    )
    bound = 1e6 * cpu_count() / (used + decode_used) / rate
    return [name, rate, median(whole_rates), ratio, used, decode_used, bound]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", metavar="PICTURES", type=Path)
    parser.add_argument("--pictures", type=int, default=4096)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    files = sorted(path for path in options.folder.absolute().rglob("*") if path.is_file())
    with working_copy() as copy:
        scratch = copy.root.parent
        small = write_model(scratch / "small", 32, {"dense": [256, 128]})
        mobile = {"architecture": "MobileNet", "width": 0.25, "weights": "none", "dense": []}
        large = write_model(scratch / "large", 128, mobile)
        chosen = files[:: max(1, len(files) // options.pictures)][: options.pictures]
        rows = [compare("32x32, cifar10-cnn", small, chosen, options.rounds, copy)]
        enlarged = write_large(chosen[: options.pictures // 4], scratch / "pictures")
        rows.append(compare("300x240, MobileNet 0.25 at 128", large, enlarged, options.rounds, copy))
        names = ["", "network/s", "predict/s", "ratio", "network's CPU, us", "decoding's", "bound"]
        print_table(names, *rows)
        command = ["darkroom", "predict", str(options.folder.absolute()), "--model", str(small)]
        cost = copy.measure(*command, "--output", str(scratch / "all.csv"), sampled=True)
        print_table(["files", "MB", "s", "CPU s"], [str(len(files)), cost.together, cost.wall, cost.cpu])


if __name__ == "__main__":
    main()
