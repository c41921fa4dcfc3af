"""What a Dockerfile builds, built without a container engine: its instructions carried out in a folder.

Each RUN runs as it is written, by chroot in a mount namespace of its own; the base image is replaced by the Python that
runs this and by the machine's /usr. Linux only, and only as root.
"""

import json
import os
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from string import Template

CONTEXT = Path(__file__).parents[1]
PASSED_ON = ("PIP_", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")  # how this machine reaches its packages


@dataclass
class Image:
    """A file system and how a container starts in it."""

    root: Path
    env: dict[str, str] = field(default_factory=lambda: {"PATH": "/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"})
    folder: str = "/"
    user: str = "0:0"
    volumes: list[str] = field(default_factory=list)
    health: list[str] = field(default_factory=list)
    entry: list[str] = field(default_factory=list)
    arguments: list[str] = field(default_factory=list)

    def enter(self, command: list[str], user: str, env: dict[str, str], prepare: str = "") -> list[str]:
        """Return a command for `unshare --mount` that mounts what the base image would hold and runs another inside."""
        root, python = shlex.quote(str(self.root)), shlex.quote(sys.base_prefix)
        inside = [f"{key}={value}" for key, value in env.items()]
        lines = [
            "set -e",
            f"mount --bind {root} {root}",
            f"for i in usr dev; do mount --rbind /$i {root}/$i; done",
            f"mount -t proc proc {root}/proc",
            f"mount -o remount,bind,ro {root}/usr",
            f"mount --bind {root}/own {root}/usr/local",
            *([] if sys.base_prefix == "/usr" else [f"mount --bind {python} {root}{python}"]),
            f"mount -t tmpfs tmpfs {root}/tmp",
            prepare,
            f"exec chroot --userspec={user} {root} env -i -C {self.folder} {shlex.join([*inside, *command])}",
        ]
        return ["sh", "-c", "\n".join(lines)]

    def run(self, command: list[str]) -> None:
        """Run a command of a RUN in the image; exits when it fails."""
        passed = {key: value for key, value in os.environ.items() if key.upper().startswith(PASSED_ON)}
        entered = ["unshare", "--mount", *self.enter(command, self.user, {**passed, **self.env})]
        done = subprocess.run(entered, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode:
            sys.exit(f"{shlex.join(command)} ended with {done.returncode}\n{done.stdout}")


def instructions(text: str) -> list[tuple[str, str]]:
    """Return (name, arguments) of the instructions of a Dockerfile."""
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    joined = "\n".join(lines).replace("\\\n", " ").splitlines()
    return [(name, rest.strip()) for name, _, rest in (line.partition(" ") for line in joined)]


def build(text: str, root: Path, arguments: dict[str, str]) -> Image:
    """Carry out a Dockerfile's instructions in the empty folder `root`; exits at one that is not known."""
    root.chmod(0o755)
    image = Image(root)
    for name in ("dev", "proc", "tmp", "own", "usr", *([] if sys.base_prefix == "/usr" else [sys.base_prefix[1:]])):
        (root / name).mkdir(parents=True)
    for name in ("bin", "sbin", "lib", "lib64"):
        (root / name).symlink_to(f"usr/{name}")
    shutil.copytree("/etc", root / "etc", symlinks=True, ignore_dangling_symlinks=True)
    given = dict(arguments)
    for name, rest in instructions(text):
        carry_out(image, name, Template(rest).safe_substitute(given), given)
    return image


def carry_out(image: Image, name: str, rest: str, given: dict[str, str]) -> None:
    """Carry out one instruction; `given` are the build arguments so far."""
    match name:
        case "FROM":
            image.run([f"{sys.base_prefix}/bin/python3", "-m", "venv", "/usr/local"])
        case "ARG":
            key, _, value = rest.partition("=")
            given.setdefault(key, value)
        case "ENV":
            image.env |= dict(pair.split("=", 1) for pair in shlex.split(rest))
        case "RUN":
            image.run(["/bin/sh", "-c", rest])
        case "COPY":
            copy(image, [word for word in rest.split() if not word.startswith("--chmod=755")])
        case _:
            note(image, name, rest)


def note(image: Image, name: str, rest: str) -> None:
    """Note an instruction that says how a container starts."""
    match name:
        case "WORKDIR":
            image.folder = rest
        case "USER":
            image.user = rest
        case "VOLUME":
            image.volumes.append(rest)
        case "HEALTHCHECK":
            image.health = json.loads(rest[rest.index("CMD") + 3 :])
        case "ENTRYPOINT":
            image.entry = json.loads(rest)
        case "CMD":
            image.arguments = json.loads(rest)
        case "EXPOSE":
            pass
        case _:
            sys.exit(f"{name}: this script does not know the instruction")


def copy(image: Image, words: list[str]) -> None:
    """Copy a file or a folder's content from the context, readable by everybody, written by nobody but root."""
    source, target = CONTEXT / words[0], image.root / words[1].lstrip("/")
    if source.is_dir():
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"), copy_function=shutil.copyfile)
    else:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
    for path in (target, *target.rglob("*")):
        path.chmod(0o755)


def start(image: Image) -> "subprocess.Popen[bytes]":
    """Start the entry point as process 1, with nothing to write to but /tmp and the volumes; return that of unshare."""
    root = shlex.quote(str(image.root))
    kept = [f"mount --bind {root}{volume} {root}{volume}" for volume in image.volumes]
    sealed = "\n".join(["ip link set lo up", *kept, f"mount -o remount,bind,ro {root}"])
    spaces = ["unshare", "--mount", "--net", "--pid", "--fork", "--kill-child"]
    return subprocess.Popen([*spaces, *image.enter([*image.entry, *image.arguments], image.user, image.env, sealed)])
