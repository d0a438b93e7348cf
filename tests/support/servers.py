"""Real PostgreSQL and MariaDB servers from Debian's packages, started on loopback for a test session."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pymysql
import pytest

ADMIN = "admin"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _user(*names: str) -> str | None:
    """Return the user that a server runs as: servers refuse root."""
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name for entry in pwd.getpwall()}
    return next(name for name in (*names, "nobody") if name in known)


@contextmanager
def _home(user: str | None) -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="crowquill-db-"))
    try:
        if user is not None:
            shutil.chown(folder, user)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _stop(server: "subprocess.Popen[bytes]", how: signal.Signals) -> None:
    server.send_signal(how)
    try:
        server.wait(20)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()


@contextmanager
def postgres() -> Iterator[str]:
    """Yield the URL of a superuser in a fresh PostgreSQL server; skips the test where there is none."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
    if not found:
        pytest.skip("PostgreSQL is not installed (apt-get install postgresql)")
    programs, user = found[-1].parent, _user("postgres")
    with _home(user) as home:
        data = home / "data"
        _quietly([programs / "initdb", "-D", data, "-U", ADMIN, "-A", "trust", "--no-sync", "-E", "UTF8"], user)
        port = free_port()
        settings = {"port": port, "listen_addresses": "127.0.0.1", "fsync": "off", "unix_socket_directories": home}
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        with _started([programs / "postgres", "-D", data, *options], user, home) as server:
            url = f"postgresql://{ADMIN}@127.0.0.1:{port}/postgres"
            _wait(server, lambda: psycopg.connect(url, connect_timeout=2).close(), psycopg.Error, home)
            try:
                yield url
            finally:
                _stop(server, signal.SIGINT)


@contextmanager
def mariadb() -> Iterator[str]:
    """Yield the URL of an administrator in a fresh MariaDB server; skips the test where there is none."""
    program = shutil.which("mariadbd", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    installer = shutil.which("mariadb-install-db")
    if program is None or installer is None:
        pytest.skip("MariaDB is not installed (apt-get install mariadb-server)")
    user = _user("mysql")
    with _home(user) as home:
        data = home / "data"
        _quietly(
            [installer, "--no-defaults", f"--datadir={data}", "--auth-root-authentication-method=normal"], user
        )
        port = free_port()
        options = ["--no-defaults", f"--datadir={data}", f"--port={port}", "--bind-address=127.0.0.1"]
        options += [f"--socket={home}/s.sock", f"--pid-file={home}/pid", "--innodb-flush-log-at-trx-commit=0"]
        with _started([program, *options], user, home) as server:

            def connect() -> None:
                if not (home / "s.sock").exists():  # pymysql leaves a socket open when it cannot connect
                    raise pymysql.OperationalError
                pymysql.connect(unix_socket=f"{home}/s.sock", user="root").close()

            _wait(server, connect, pymysql.MySQLError, home)
            with pymysql.connect(unix_socket=f"{home}/s.sock", user="root") as root, root.cursor() as cursor:
                cursor.execute(f"CREATE USER {ADMIN}@'127.0.0.1' IDENTIFIED BY 'secret'")
                cursor.execute(f"GRANT ALL ON *.* TO {ADMIN}@'127.0.0.1' WITH GRANT OPTION")
            try:
                yield f"mariadb://{ADMIN}:secret@127.0.0.1:{port}/mysql"
            finally:
                _stop(server, signal.SIGTERM)


def _quietly(command: list[object], user: str | None) -> None:
    subprocess.run([*map(str, command)], user=user, cwd="/", check=True, capture_output=True)


def _started(command: list[object], user: str | None, home: Path) -> "subprocess.Popen[bytes]":
    with (home / "log").open("wb") as log:
        return subprocess.Popen([*map(str, command)], user=user, cwd="/", stdout=log, stderr=log)


def _wait(server: "subprocess.Popen[bytes]", connect: object, failure: type[Exception], home: Path) -> None:
    end = time.monotonic() + 60
    while True:
        try:
            assert callable(connect)
            connect()
        except failure:
            if server.poll() is not None or time.monotonic() > end:
                pytest.fail(f"the server does not start: {(home / 'log').read_text()[-2000:]}")
            time.sleep(0.1)
        else:
            return
