"""What the database holds in clear, and under which keys it is opened."""

import os
import sqlite3
import subprocess
import sys
import threading

import pytest
from cryptography.fernet import Fernet
from gateway_server import settings_of
from jobs_world import KEY, MemorySource, jobs_gateway, new_job, parts_of, uids
from phantoms import slices, thorax, zip_of
from sqlalchemy import select, update
from starlette.datastructures import Secret

from gateway.jobs.database import Database
from gateway.jobs.sealing import Sealing, UnsealableError
from gateway.jobs.setup import check
from gateway.jobs.tables import jobs, schema
from gateway.reading import SettingsError
from gateway.sources.credential import CAPABILITY, NO_CREDENTIAL, Credential

PATIENT, REGION, TITLE = "MARKER-OF-A-PATIENT", "MARKER-OF-A-REGION", "MARKER-OF-A-TITLE"

PNG = b"\x89PNG"

EXPIRES_AT = 4e9


def contents(folder):
    """All bytes that a database has on the disk, but for the key and the lock."""
    files = [file for file in folder.iterdir() if file.suffix not in (".key", ".lock")]
    return b"".join(file.read_bytes() for file in files)


def test_neither_token_nor_patient_nor_region_nor_picture_is_in_clear(server, tmp_path, caplog):
    study = zip_of(*slices(thorax(), PatientID=PATIENT))
    source = MemorySource(dict.fromkeys(uids(2), study), held=threading.Event())
    with jobs_gateway(server.http_url, f"sqlite:///{tmp_path / 'jobs.sqlite'}", source=source) as (
        client,
        _,
    ):
        begun = client.begin(title=TITLE, options={"series": "1.2.99", "roi": REGION})
        during = contents(tmp_path)
        source.held.set()
        client.ended(begun["id"])
        failed = client.job(begun["id"])["studies"][0]
        whole = client.ended(client.begin(title=TITLE)["id"])
        (answer, _) = client.ask("GET", f"/{whole['id']}/results.json").json()["answers"]
        after = contents(tmp_path)

    assert failed["state"] == "failed"
    assert answer["rows"][0]["patient_id"] == PATIENT
    assert source.minted
    for content in (during, after):
        markers = [PATIENT, REGION, TITLE, "hush", "1.2.99", *uids(2)]
        assert [each for each in markers if each.encode() in content] == []
        assert PNG not in content
        assert b"iVBOR" not in content  # the same in base64
    assert b"ada" in after  # what is in clear would be found
    assert not any(marker in caplog.text for marker in (PATIENT, REGION, TITLE, "hush"))


def test_what_is_deleted_is_gone_from_the_file(tmp_path):
    with parts_of(f"sqlite:///{tmp_path / 'jobs.sqlite'}") as here:
        job_id = here.store.create(new_job(uids(1)), credential=NO_CREDENTIAL, expires_at=0.0)
        with here.database.reading() as connection:
            sealed = connection.scalar(select(jobs.c.names))
        assert sealed in contents(tmp_path)

        here.store.delete_expired()

        assert sealed not in contents(tmp_path)
        assert job_id.encode() not in contents(tmp_path)


def test_the_database_is_of_this_account_alone(tmp_path):
    with parts_of(f"sqlite:///{tmp_path / 'new' / 'jobs.sqlite'}") as here:
        here.store.create(new_job(uids(1)), credential=NO_CREDENTIAL, expires_at=EXPIRES_AT)
        modes = {file.name: file.stat().st_mode & 0o777 for file in (tmp_path / "new").iterdir()}

    assert set(modes.values()) == {0o600}
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o700


def jobs_settings(tmp_path, *keys):
    stated = {
        "GATEWAY_JOBS_DATABASE": f"sqlite:///{tmp_path / 'jobs.sqlite'}",
        "GATEWAY_JOBS_KEY": " ".join(keys),
    }
    return settings_of("127.0.0.1:1", **stated).jobs


@pytest.fixture
def kept(tmp_path):
    """The id of a job in a database, sealed under KEY."""
    with parts_of(f"sqlite:///{tmp_path / 'jobs.sqlite'}") as here:
        minted = Credential(CAPABILITY, Secret("hush"), "the-id")
        return here.store.create(new_job(["1.2.3"]), credential=minted, expires_at=EXPIRES_AT)


def test_keys_are_changed_by_stating_the_new_one_first(tmp_path, kept):
    new = Fernet.generate_key().decode()

    check(jobs_settings(tmp_path, new, KEY))
    check(jobs_settings(tmp_path, new))

    with parts_of(f"sqlite:///{tmp_path / 'jobs.sqlite'}", keys=[new]) as here:
        assert here.records.entries("ada", kept)[0].name == "1.2.3"
        assert str(here.queue.claim().credential.text) == "hush"


def test_another_key_is_refused_at_start(tmp_path, kept):
    with pytest.raises(SettingsError, match="GATEWAY_JOBS_KEY does not open 1 jobs"):
        check(jobs_settings(tmp_path, Fernet.generate_key().decode()))

    check(jobs_settings(tmp_path, KEY))
    assert kept


def test_a_gateway_says_why_it_does_not_start(tmp_path, kept):
    other = Fernet.generate_key().decode()
    environment = os.environ | {
        "GATEWAY_MODE": "local",
        "GATEWAY_JOBS_DATABASE": f"sqlite:///{tmp_path / 'jobs.sqlite'}",
        "GATEWAY_JOBS_KEY": other,
    }

    ended = subprocess.run(
        [sys.executable, "-m", "gateway"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert ended.returncode == 2
    assert ended.stderr.startswith("GATEWAY_JOBS_KEY does not open 1 jobs")
    assert other not in ended.stderr
    assert kept not in ended.stderr


def test_tables_of_another_version_are_refused(tmp_path):
    with (
        parts_of(f"sqlite:///{tmp_path / 'jobs.sqlite'}") as here,
        here.database.writing() as connection,
    ):
        connection.execute(update(schema).values(version=99))

    with pytest.raises(SettingsError, match="version 99"):
        check(jobs_settings(tmp_path, KEY))


def test_one_gateway_at_a_time_has_a_file(tmp_path):
    with (
        parts_of(f"sqlite:///{tmp_path / 'jobs.sqlite'}"),
        pytest.raises(SettingsError, match="another gateway's"),
    ):
        check(jobs_settings(tmp_path, KEY))

    check(jobs_settings(tmp_path, KEY))


def test_a_key_is_kept_beside_the_database_of_one_person(tmp_path):
    check(jobs_settings(tmp_path))
    key = (tmp_path / "jobs.key").read_text()

    check(jobs_settings(tmp_path))

    assert (tmp_path / "jobs.key").read_text() == key
    assert (tmp_path / "jobs.key").stat().st_mode & 0o777 == 0o600
    assert len(key) == 44  # 32 bytes in base64


def test_a_file_that_is_no_database_is_refused(tmp_path):
    (tmp_path / "jobs.sqlite").write_bytes(b"no database" * 100)

    with pytest.raises(SettingsError, match="cannot be opened"):
        check(jobs_settings(tmp_path, KEY))


def test_a_folder_of_nobody_s_choice_is_done_without(tmp_path):
    taken = tmp_path / "a file"
    taken.touch()
    chosen_by_nobody = settings_of(
        "127.0.0.1:1", GATEWAY_JOBS_DATABASE="", XDG_DATA_HOME=str(taken)
    )

    check(chosen_by_nobody.jobs)

    assert chosen_by_nobody.jobs.database.startswith(f"sqlite:///{taken}")


def test_what_is_sealed_for_one_job_is_closed_to_another():
    sealing = Sealing([Secret(KEY)])
    one, other = (sealing.box(sealing.new_key()) for _ in range(2))

    sealed = one.seal(b"rows")

    assert one.open(sealed) == b"rows"
    with pytest.raises(UnsealableError):
        other.open(sealed)


def test_sqlite_overwrites_what_is_deleted(tmp_path):
    database = Database(f"sqlite:///{tmp_path / 'jobs.sqlite'}")
    database.open()
    with database.reading() as connection:
        stated = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("secure_delete", "journal_mode", "foreign_keys")
        }
    database.close()

    assert stated == {"secure_delete": 1, "journal_mode": "wal", "foreign_keys": 1}
    assert sqlite3.sqlite_version_info >= (3, 35)  # for RETURNING
