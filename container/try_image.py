"""Build the image's file system and try it, without a container engine: `python container/try_image.py MODEL PICTURE`.

The entry point starts as the image's user, as process 1, with a read-only file system and no network but its own
loopback; a picture is posted, the health check run, the server asked to end. Prints what that took, as JSON. Linux
only, and only as root, with `unshare` and `ip`.
"""

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from base64 import b64encode
from pathlib import Path
from typing import Any

from rootfs import CONTEXT, Image, build, start

TOOLS = ("chroot", "ip", "nsenter", "unshare")
ASK = """
import sys, time, urllib.request
body, kind = sys.stdin.buffer.read(), {"Content-Type": "application/json"}
request = urllib.request.Request("http://127.0.0.1:5678/invocations", body, kind)
for _ in range(1000):
    try:
        print(urllib.request.urlopen(request, timeout=20).read().decode())
        break
    except urllib.error.HTTPError as error:
        sys.exit(f"{error.code}: {error.read().decode()}")
    except OSError:
        time.sleep(0.02)
else:
    sys.exit("the server does not answer")
"""


def main() -> None:
    """Build, start, ask, end."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path, help="the folder of a bundle, such as models/bundle")
    parser.add_argument("picture", type=Path)
    chosen = parser.parse_args()
    missing = [tool for tool in TOOLS if not shutil.which(tool)]
    if missing or os.geteuid():
        sys.exit(f"this needs Linux, root, and the commands {', '.join(TOOLS)}")
    with tempfile.TemporaryDirectory(prefix="darkroom-image-") as name:
        text = (CONTEXT / "container/Dockerfile").read_text(encoding="utf-8")
        image = build(text, Path(name), {"MODEL": str(chosen.model.resolve())})
        facts = {"kilobytes": {folder: kilobytes(image.root / folder) for folder in ("own", "srv")}}
        print(json.dumps(facts | try_image(image, chosen.picture), indent=2))


def try_image(image: Image, picture: Path) -> dict[str, Any]:
    """Start a container, ask it about a picture, and end it; return what came and what it took."""
    began = time.monotonic()
    with start(image) as unshare:
        try:
            table = {"columns": ["image"], "data": [[b64encode(picture.read_bytes()).decode()]]}
            server = wait_for_child(unshare.pid)
            asked = inside(image, server, ["python", "-c", ASK], json.dumps({"dataframe_split": table}).encode())
            if asked.returncode:
                sys.exit(asked.stderr.decode())
            seconds = time.monotonic() - began
            facts = {
                "seconds": seconds,
                **cost(server),
                "answer": json.loads(asked.stdout),
                "health": inside(image, server, image.health).returncode,
                "can_write": inside(image, server, ["touch", "/srv/model/x"]).returncode == 0,
            }
            os.kill(server, signal.SIGTERM)
            return {**facts, "ended_with": unshare.wait(timeout=20)}
        finally:
            unshare.kill()


def inside(image: Image, server: int, command: list[str], given: bytes = b"") -> "subprocess.CompletedProcess[bytes]":
    """Run a command in the container, as its user, as `docker exec` does."""
    user, group = image.user.split(":")
    spaces = ["--mount", "--net", "--pid", "--root", "--setuid", user, "--setgid", group]
    enter = ["nsenter", "--target", str(server), *spaces, *command]
    return subprocess.run(enter, input=given, env=image.env, capture_output=True, timeout=60)


def wait_for_child(process: int) -> int:
    """Return the id of the child of `process`, once there is one and it is the server, no longer what mounts."""
    for _ in range(500):
        children = Path(f"/proc/{process}/task/{process}/children").read_text().split()
        if children and Path(f"/proc/{children[0]}/comm").read_text().strip().startswith("python"):
            return int(children[0])
        time.sleep(0.01)
    sys.exit("the container did not start")


def cost(process: int) -> dict[str, float]:
    """Return the CPU seconds and the megabytes, now and at the most, of a process."""
    status = dict(line.split(":", 1) for line in Path(f"/proc/{process}/status").read_text().splitlines())
    ticks = Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[11:13]
    megabytes = {
        name: int(status[key].split()[0]) * 1024 / 1e6 for name, key in (("mb", "VmRSS"), ("peak_mb", "VmHWM"))
    }
    return {"cpu_seconds": sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK"), **megabytes}


def kilobytes(folder: Path) -> int:
    """Return what the files in a folder take on the disk."""
    return sum(path.lstat().st_blocks for path in folder.rglob("*")) // 2


if __name__ == "__main__":
    main()
