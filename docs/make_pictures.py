"""Make the README's pictures, docs/pictures/*.webp, from the runs of this repository. Needs Chromium.

make repro
dvc exp run -S tune.enabled=false -S train.epochs=12 ...    # a few, for the table
python docs/make_pictures.py [--browser chromium]
"""

import argparse
import io
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from PIL import Image

from darkroom.params.load import load_params
from darkroom.tracking.view import address

ROOT = Path(__file__).parents[1]
REPORT, TABLE = (1200, 1400), (1800, 900)  # of a page, pixels
CLASSES = (0, 430, 1200, 1280)  # where they are in the report: left, top, right, bottom
RUNS = (200, 150, 1330, 430)  # where the table is on MLflow's page
KEPT = 900  # width of a picture, pixels
LIMIT = 150_000  # bytes
STARTS = 300  # seconds that MLflow's pages may take to start
DRAWS = 30_000  # milliseconds that a page may take to draw itself


@contextmanager
def mlflow_pages() -> Iterator[str]:
    """Yield the address of MLflow's pages about the runs of this repository."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    pages = f"http://127.0.0.1:{port}"
    command = [
        Path(sys.executable).with_name("mlflow"),
        "ui",
        "--workers",
        "1",
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
    ]
    server = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for(pages)
        yield pages
    finally:
        server.terminate()
        server.wait()


def wait_for(pages: str) -> None:
    """Return when a server answers; exits when it does not."""
    end = time.monotonic() + STARTS
    while time.monotonic() < end:
        try:
            urlopen(pages, timeout=5).close()
        except (URLError, TimeoutError):
            time.sleep(0.5)
        else:
            return
    sys.exit(f"{pages} does not answer after {STARTS} seconds")


def picture_of(page: str, browser: str, side: tuple[int, int]) -> Image.Image:
    """Return what a browser of so many pixels shows of a page."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "page.png")
        options = [f"--screenshot={file}", f"--window-size={side[0]},{side[1]}", f"--user-data-dir={folder}/profile"]
        options += ["--headless", "--no-sandbox", "--hide-scrollbars", f"--virtual-time-budget={DRAWS}"]
        subprocess.run([browser, *options, page], check=True, capture_output=True)
        return Image.open(io.BytesIO(file.read_bytes())).convert("RGB")


def keep(picture: Image.Image, name: str) -> None:
    """Write a picture to docs/pictures/, smaller, in the best quality within LIMIT."""
    small = picture.resize((KEPT, round(KEPT * picture.height / picture.width)), Image.Resampling.LANCZOS)
    for quality in range(90, 20, -10):
        small.save(packed := io.BytesIO(), "WEBP", quality=quality, method=6)
        if packed.tell() <= LIMIT:
            break
    file = ROOT / "docs" / "pictures" / f"{name}.webp"
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(packed.getvalue())
    print(f"{file.relative_to(ROOT)}: {small.width} x {small.height} pixels, {packed.tell():,} bytes")


def main() -> None:
    """Make the pictures of the report about the data and of the table of experiments."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--browser", default="chromium")
    browser = parser.parse_args().browser
    report = picture_of((ROOT / "reports" / "data.html").as_uri(), browser, REPORT)
    keep(report.crop(CLASSES), "data-report")
    with mlflow_pages() as pages:
        table = address(pages, load_params(ROOT / "params.yaml").tracking.experiment)
        shown = picture_of(table, browser, TABLE)
    keep(shown.crop(RUNS), "experiments")


if __name__ == "__main__":
    main()
