"""A real PostgreSQL of the tests: Debian's, started once, and empty for each."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import psycopg
import pytest

from tools.engine.ports import free_ports

PROGRAMS = Path("/usr/lib/postgresql/15/bin")

USER = "nobody"
"""PostgreSQL refuses to be root."""


@pytest.fixture(scope="session")
def _database():
    """The URL of a database of the tests."""
    if not (PROGRAMS / "initdb").exists():
        pytest.skip("there is no PostgreSQL: apt-get install postgresql")
    folder = Path(tempfile.mkdtemp(prefix="postgres-of-tests-"))  # not pytest's: root's alone
    (port,) = free_ports(1)
    become = ["setpriv", f"--reuid={USER}", "--regid=nogroup", "--clear-groups"]
    become = become if os.geteuid() == 0 else []
    if become:
        shutil.chown(folder, USER, "nogroup")
    data = folder / "data"
    server = {"-c listen_addresses=127.0.0.1", f"-p {port}", f"-k {folder}", "-c fsync=off"}

    def run(program, *arguments):
        command = [*become, PROGRAMS / program, "-D", data, *arguments]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=folder)

    run("initdb", "--username=tests", "--auth=trust", "--no-sync", "--encoding=UTF8")
    run("pg_ctl", "-w", "-l", folder / "log", "-o", " ".join(sorted(server)), "start")
    try:
        yield f"postgresql://tests@127.0.0.1:{port}/postgres"
    finally:
        run("pg_ctl", "-m", "immediate", "-w", "stop")
        shutil.rmtree(folder)


@pytest.fixture
def postgres(_database):
    """The URL of an empty database in PostgreSQL."""
    with psycopg.connect(_database) as connection:
        connection.execute("DROP SCHEMA public CASCADE")
        connection.execute("CREATE SCHEMA public")
    return _database
