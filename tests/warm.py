"""A Python that has the large libraries loaded already: what it runs starts at once, in a process of its own.

`warm_programs` makes a folder with the commands `python`, `dvc` and `darkroom`. First on the PATH, each of them asks
the server below to fork. Not for tests that kill: the fork is not in the process group of the command.
"""

import gc
import json
import os
import runpy
import socket
import socketserver
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from subprocess import PIPE
from typing import Any

ROOT = Path(__file__).parents[1]
LIBRARIES = (
    *("tensorflow", "keras", "optuna", "pandas", "pyarrow.parquet", "sklearn.metrics", "scipy.ndimage", "cv2"),
    *("mlflow.pyfunc", "mlflow.sklearn", "mlflow.store.tracking.sqlalchemy_store", "matplotlib.pyplot"),
    *("great_expectations", "onnx", "onnxruntime", "tf2onnx.convert", "git", "simplejpeg", "typer", "ruamel.yaml"),
    *("dvc.cli", "dvc.repo.reproduce", "dvc.repo.status", "dvc.commands.repro", "dvc.commands.add", "dvc.scm"),
    *("dvc_data.index", "dulwich.repo", "dulwich.porcelain", "networkx", "dvc_render", "fsspec.implementations.local"),
)
COMMAND = """#!{python} -IS
import json, os, socket, sys
with socket.socket(socket.AF_UNIX) as server:
    server.connect({address!r})
    request = {{"program": os.path.basename(sys.argv[0]), "arguments": sys.argv[1:], "cwd": os.getcwd()}}
    socket.send_fds(server, [b"x"], [0, 1, 2])
    server.sendall(json.dumps(request | {{"environment": dict(os.environ)}}).encode())
    server.shutdown(socket.SHUT_WR)
    status = server.recv(100)
sys.exit(int(status))
"""


@contextmanager
def warm_programs(folder: Path) -> Iterator[Path]:
    """Start a server and yield the folder of its commands."""
    address = str(folder / "server")
    for name in ("python", "dvc", "darkroom"):
        command = folder / "bin" / name
        command.parent.mkdir(exist_ok=True)
        command.write_text(COMMAND.format(python=sys.executable, address=address))
        command.chmod(0o755)
    start = [sys.executable, __file__, address]
    with subprocess.Popen(start, stdin=PIPE, stdout=PIPE, stderr=subprocess.DEVNULL) as server:
        assert server.stdout
        assert server.stdout.readline(), "the server did not start"
        try:
            yield folder / "bin"
        finally:
            server.terminate()


class Attendant(socketserver.BaseRequestHandler):
    """Runs one command in a fork and answers with its exit status."""

    def handle(self) -> None:
        _, files, *_ = socket.recv_fds(self.request, 1, 3)
        text = b"".join(iter(lambda: self.request.recv(1 << 16), b""))
        child = os.fork()
        if not child:
            _become(files, **json.loads(text))
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        self.request.sendall(str(status if status >= 0 else 128 - status).encode())


class Server(socketserver.ForkingMixIn, socketserver.UnixStreamServer):
    """Answers each command in a process of its own."""

    max_children = 100


def _become(files: list[int], program: str, arguments: list[str], cwd: str, environment: dict[str, str]) -> None:
    """Run a command in this process, with the files, folder and environment of whoever typed it, and end."""
    for number, file in enumerate(files):
        os.dup2(file, number)
    sys.stdout, sys.stderr = (open(number, "w", closefd=False, buffering=1) for number in (1, 2))  # noqa: SIM115
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(environment)
    folders = [folder for folder in environment.get("PYTHONPATH", "").split(os.pathsep) if folder]
    sys.path[:] = [str(Path(folder).resolve()) for folder in folders] + [path for path in sys.path if path != str(HERE)]
    status = _status_of(program, arguments)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


def _status_of(program: str, arguments: list[str]) -> int:
    import traceback

    try:
        return int(_run(program, arguments) or 0)
    except SystemExit as error:
        if isinstance(error.code, str):
            print(error.code, file=sys.stderr)
        return error.code if isinstance(error.code, int) else int(error.code is not None)
    except BaseException:
        traceback.print_exc()
        return 1
    finally:
        _at_exit()


def _run(program: str, arguments: list[str]) -> Any:
    sys.argv = [program, *arguments]
    if program == "dvc":
        from dvc.cli import main

        return main(arguments)
    if program == "darkroom":
        from darkroom.cli.main import main as darkroom

        return darkroom()
    options = [argument for argument in arguments if argument == "-P"]  # no folder of the script on the path
    kind, *rest = arguments[len(options) :]
    if kind == "-c":
        sys.argv = ["-c", *rest[1:]]
        sys.path.insert(0, "")
        return exec(rest[0], {"__name__": "__main__"})
    sys.argv = [kind, *rest]
    if not options:
        sys.path.insert(0, str(Path(kind).resolve().parent))
    return runpy.run_path(kind, run_name="__main__") and None


def _at_exit() -> None:
    import atexit

    atexit._run_exitfuncs()


def _end_with_parent() -> None:
    """Wait until the process that started this one has closed its end of standard input, or died, and end."""
    os.read(0, 1)  # not sys.stdin: a fork could never close what a thread reads
    os._exit(0)


def _serve(address: str) -> None:
    runpy.run_path(str(ROOT / "src" / "darkroom" / "execution" / "quiet.py"))["silence_libraries"]()
    gc.disable()
    for name in LIBRARIES:
        __import__(name)
    gc.freeze()
    gc.enable()
    threading.Thread(target=_end_with_parent, daemon=True).start()
    with Server(address, Attendant) as server:
        print("ready", flush=True)
        server.serve_forever()


HERE = Path(__file__).parent
if __name__ == "__main__":
    _serve(sys.argv[1])
