"""A throw-away PostgreSQL cluster for the tests that must hold on both stores.

It listens on a socket in a temporary folder alone and is gone with the session. PostgreSQL refuses to run as root, so
there its files and processes belong to the user that Debian's package makes, or to nobody.
"""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import create_engine

PLACES = ("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/opt/homebrew/opt/postgresql*/bin")


def programs() -> Path | None:
    """The folder of initdb and postgres; None where PostgreSQL is not installed."""
    found = [path for place in PLACES for path in sorted(Path("/").glob(place[1:]), reverse=True)]
    if on_path := shutil.which("initdb"):
        found.insert(0, Path(on_path).resolve().parent)
    return next((path for path in found if (path / "initdb").exists() and (path / "postgres").exists()), None)


@contextmanager
def cluster(binaries: Path, fsync: bool = False) -> Iterator[str]:
    """Make a cluster, run it, and yield the URL of its database; afterwards nothing of it is left.

    fsync: it waits for the disk, as one that people use does.
    """
    owner = _owner()
    folder = Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))  # a socket's path has 107 letters at most
    server = None
    try:
        os.chown(folder, owner.pw_uid, owner.pw_gid)
        environment = {"PATH": "/usr/bin:/bin", "LC_ALL": "C"}
        as_owner = {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []} if os.getuid() == 0 else {}
        settings = {"cwd": folder, "env": environment, "stderr": subprocess.STDOUT, **as_owner}
        make = [binaries / "initdb", "-D", folder / "data", "-U", "survey", "-A", "trust", "-E", "UTF8", "--no-sync"]
        subprocess.run(make, check=True, stdout=subprocess.PIPE, **settings)
        options = {"listen_addresses": "", "unix_socket_directories": folder, "max_connections": 200}
        options["fsync"] = "on" if fsync else "off"
        command = [binaries / "postgres", "-D", folder / "data"]
        for name, value in options.items():
            command += ["-c", f"{name}={value}"]
        server = subprocess.Popen(command, stdout=subprocess.DEVNULL, **settings)
        _await(folder / ".s.PGSQL.5432", server)
        yield f"postgresql+psycopg://survey@/postgres?host={folder}"
    finally:
        if server is not None:
            server.send_signal(signal.SIGINT)  # which ends connections that are left
            server.wait(30)
        shutil.rmtree(folder)


def empty_database(url: str) -> str:
    """Make a database beside the one at `url`; its URL."""
    name = f"survey_{secrets.token_hex(6)}"
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    engine.dispose()
    return engine.url.set(database=name).render_as_string()


def _owner() -> pwd.struct_passwd:
    if os.getuid() != 0:
        return pwd.getpwuid(os.getuid())
    names = {user.pw_name: user for user in pwd.getpwall()}
    return names.get("postgres") or names["nobody"]


def _await(socket: Path, server: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + 30
    while not socket.exists():
        if server.poll() is not None or time.monotonic() > until:
            raise RuntimeError(f"PostgreSQL did not start (exit status {server.poll()})")
        time.sleep(0.05)
