"""A real server of PostgreSQL, where one is installed."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def running_server() -> Iterator[str]:
    """Yield the address of a server that can be reached by a socket in its own folder, with a password."""
    pytest.importorskip("psycopg")
    if not (shutil.which("initdb") and shutil.which("pg_ctl")):
        pytest.skip("no server of PostgreSQL is installed")
    folder, user = Path(tempfile.mkdtemp()), None if os.getuid() else "nobody"  # root may not start one
    (folder / "password").write_text("s3cret")
    if user:
        for path in (folder, folder / "password"):
            shutil.chown(path, user)

    def run(*command: str) -> None:
        subprocess.run([*command, "-D", folder / "data"], user=user, cwd=folder, check=True, stdout=subprocess.DEVNULL)

    run("initdb", "--no-sync", "--auth=scram-sha-256", "--username=anna", f"--pwfile={folder / 'password'}")
    run("pg_ctl", "start", "--wait", "--log", f"{folder / 'log'}", "-o", f"-F -k {folder} -c listen_addresses=")
    try:
        yield f"postgresql://anna:s3cret@/postgres?host={folder}"
    finally:
        run("pg_ctl", "stop", "--mode", "immediate")
        shutil.rmtree(folder)
