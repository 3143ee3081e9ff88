"""The queue of studies: fair, each study with one gateway, on SQLite and on PostgreSQL."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from cryptography.fernet import Fernet
from jobs_world import KEY, new_job, parts_of, uids
from sqlalchemy import select, update
from starlette.datastructures import Secret

from gateway.jobs.claim import Finished, LostError
from gateway.jobs.tables import gateways, jobs, revocations, studies
from gateway.jobs.trouble import Trouble
from gateway.problems import ProblemError
from gateway.sources.credential import CAPABILITY, NO_CREDENTIAL, Credential

EXPIRES_AT = 4e9

ANSWER = Finished(b"packed", 1, "v1", 0.1, 0.2, 0)


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request, tmp_path):
    """The URL of an empty database."""
    if request.param == "postgresql":
        return request.getfixturevalue("postgres")
    return f"sqlite:///{tmp_path / 'jobs.sqlite'}"


@pytest.fixture
def here(url):
    with parts_of(url) as parts:
        yield parts


def begun(parts, new, *, credential=NO_CREDENTIAL, expires_at=EXPIRES_AT):
    """The id of a new job."""
    return parts.store.create(new, credential=credential, expires_at=expires_at)


def state_of(parts, job_id, position=0, owner="ada"):
    return parts.records.entries(owner, job_id)[position].state


def test_studies_are_claimed_in_order_and_once(here):
    begun(here, new_job(uids(2)))

    first, second, none = (here.queue.claim() for _ in range(3))

    assert (first.name, second.name, none) == ("1.2.840.1", "1.2.840.2", None)


def test_the_next_study_is_of_who_has_the_fewest_at_work(here):
    begun(here, new_job(uids(3)))
    begun(here, new_job(uids(3), owner="bob"))

    owners = [here.queue.claim().owner for _ in range(4)]

    assert owners == ["ada", "bob", "ada", "bob"]


def test_who_has_to_wait_is_passed_over(here):
    begun(here, new_job(uids(1)))
    begun(here, new_job(uids(1), owner="bob"))

    assert here.queue.claim({"ada"}).owner == "bob"
    assert here.queue.claim({"ada"}) is None
    assert here.queue.claim().owner == "ada"


def test_a_job_under_a_key_of_another_gateway_holds_no_other_up(postgres, caplog):
    new = Fernet.generate_key().decode()
    with parts_of(postgres) as here, parts_of(postgres, keys=[new, KEY]) as newer:
        begun(newer, new_job(["1.1"]))
        begun(here, new_job(["1.2"]))

        assert here.queue.claim().name == "1.2"
        assert here.queue.claim() is None
        assert newer.queue.claim().name == "1.1"
    assert caplog.text.count("sealed under a key") == 1


def test_a_job_ends_with_its_last_study(here):
    job_id = begun(here, new_job(uids(2)))

    for expected in ("running", "ended"):
        claim = here.queue.claim()
        here.queue.begin(claim, "retrieving")
        here.queue.finish(claim, ANSWER)
        job = here.records.one("ada", job_id)
        assert job.row.state == expected

    assert job.counts == {"done": 2}
    assert job.rows == 2
    assert [study.content for study in here.records.stored("ada", job_id, positions=range(9))] == [
        b"packed",
        b"packed",
    ]


def test_events_have_growing_numbers_without_a_gap(here):
    job_id = begun(here, new_job(uids(1)))
    claim = here.queue.claim()
    here.queue.begin(claim, "retrieving")
    here.queue.move(claim, ("received", "checked"))
    here.queue.finish(claim, ANSWER)

    state, told, last = here.records.events("ada", job_id, after=0)

    assert state == "ended"
    assert last == len(told)
    assert [(event.position, event.state) for event in told] == [
        (0, "retrieving"),
        (0, "received"),
        (0, "checked"),
        (0, "decoded"),
        (0, "inferred"),
        (0, "done"),
        (None, "ended"),
    ]
    assert here.records.events("ada", job_id, after=last - 1)[1] == told[-1:]


def test_an_answer_that_comes_after_a_cancel_is_dropped(here):
    job_id = begun(here, new_job(uids(2)))
    claim = here.queue.claim()
    here.queue.begin(claim, "retrieving")

    here.store.cancel("ada", job_id)

    with pytest.raises(LostError):
        here.queue.finish(claim, ANSWER)
    assert here.records.one("ada", job_id).counts == {"cancelled": 2}
    assert all(
        each.content is None for each in here.records.stored("ada", job_id, positions=range(9))
    )


def test_an_older_claim_of_the_same_study_is_worth_nothing(here):
    job_id = begun(here, new_job(uids(1)))
    old = here.queue.claim()
    here.store.cancel("ada", job_id)
    here.store.retry(
        "ada",
        job_id,
        positions=(),
        older=False,
        series={},
        credential=NO_CREDENTIAL,
        expires_at=EXPIRES_AT,
    )
    here.queue.claim()

    with pytest.raises(LostError):
        here.queue.finish(old, ANSWER)


def test_a_study_that_is_put_back_waits_for_its_time(here):
    job_id = begun(here, new_job(uids(1)))
    trouble = Trouble("", 0, 0, None).and_then("busy")
    claim = here.queue.claim()
    here.queue.begin(claim, "retrieving")

    here.queue.again(claim, trouble, sentence="send it again", after_s=3600)

    assert here.queue.claim() is None
    (entry,) = here.records.entries("ada", job_id)
    assert (entry.state, entry.attempts, entry.code) == ("waiting", 1, "busy")
    assert entry.sentence == "send it again"


def test_admission_that_is_refused_is_no_attempt(here):
    job_id = begun(here, new_job(uids(1)))

    here.queue.put_back(here.queue.claim(), after_s=0)

    (entry,) = here.records.entries("ada", job_id)
    assert (entry.state, entry.attempts) == ("waiting", 0)
    assert here.queue.claim() is not None


def test_a_job_whose_login_is_refused_waits_for_another_one(here):
    job_id = begun(here, new_job(uids(2)))
    claim = here.queue.claim()
    here.queue.begin(claim, "retrieving")
    here.queue.refuse(claim, None)
    assert here.queue.claim() is None
    assert here.records.one("ada", job_id).row.waits_for == "source_refused"

    fresh = Credential(CAPABILITY, Secret("fresh"))
    here.store.retry(
        "ada", job_id, positions=(), older=False, series={}, credential=fresh, expires_at=EXPIRES_AT
    )

    assert str(here.queue.claim().credential.text) == "fresh"


def test_what_failed_is_begun_again_on_demand(here):
    job_id = begun(here, new_job(uids(2)))
    for _ in range(2):
        here.queue.fail(here.queue.claim(), "no_images", sentence="add the images")
    assert here.records.one("ada", job_id).row.state == "ended"

    here.store.retry(
        "ada",
        job_id,
        positions=[1],
        older=False,
        series={},
        credential=NO_CREDENTIAL,
        expires_at=EXPIRES_AT,
    )

    states = [entry.state for entry in here.records.entries("ada", job_id)]
    assert states == ["failed", "waiting"]
    assert here.records.one("ada", job_id).row.state == "running"


def test_what_older_weights_have_done_is_begun_again(here):
    job_id = begun(here, new_job(uids(3)))
    for version in ("old", "old", "new"):
        claim = here.queue.claim()
        here.queue.finish(claim, Finished(b"packed", 1, version, 0.1, 0.2, 0))

    here.store.retry(
        "ada",
        job_id,
        positions=(),
        older=True,
        series={},
        credential=NO_CREDENTIAL,
        expires_at=EXPIRES_AT,
    )

    assert here.records.one("ada", job_id).counts == {"waiting": 2, "done": 1}
    found = here.records.stored("ada", job_id, positions=range(9))
    assert [study.content for study in found] == [None, None, b"packed"]


def test_the_credential_goes_with_the_end_and_its_id_stays_to_be_revoked(here):
    minted = Credential(CAPABILITY, Secret("hush"), "the-id")
    job_id = begun(here, new_job(uids(1)), credential=minted)

    here.store.cancel("ada", job_id)

    with here.database.reading() as connection:
        assert connection.scalar(select(jobs.c.credential)) is None
        kept = connection.execute(select(revocations)).one()
    opened = here.queue._sealing.open_credential(kept.credential)
    assert (kept.owner, kept.kind, opened.id, str(opened.text)) == ("ada", "kheops", "the-id", "")


def test_a_user_has_so_many_jobs_that_are_not_over(url):
    with parts_of(url, of_one_user=2) as here:
        first = begun(here, new_job(uids(1)))
        begun(here, new_job(uids(1)))
        with pytest.raises(ProblemError, match="too_many_jobs"):
            begun(here, new_job(uids(1)))
        begun(here, new_job(uids(1), owner="bob"))

        here.store.cancel("ada", first)

        begun(here, new_job(uids(1)))


def test_what_has_expired_is_deleted(here):
    old = begun(here, new_job(uids(1)), expires_at=time.time() - 1)
    begun(here, new_job(uids(1)))

    assert here.store.delete_expired() == 1

    with pytest.raises(ProblemError, match="unknown_job"):
        here.records.one("ada", old)
    with here.database.reading() as connection:
        assert len(connection.execute(select(studies)).all()) == 1


def test_a_start_frees_what_the_last_gateway_on_sqlite_had(tmp_path):
    url = f"sqlite:///{tmp_path / 'jobs.sqlite'}"
    with parts_of(url) as killed:
        job_id = begun(killed, new_job(uids(2)))
        uploads = begun(killed, new_job(["a", "b"], kind="uploads"))
        lost = killed.queue.claim()
        killed.queue.begin(lost, "retrieving")

    with parts_of(url) as here:
        assert state_of(here, job_id) == "waiting"
        assert here.queue.claim().name == lost.name
        assert here.records.one("ada", uploads).counts == {"needs_file": 2}
        assert [each.code for each in here.records.one("ada", job_id).happened] == ["restart"]


def test_gateways_that_share_a_queue_never_have_the_same_study(postgres):
    with parts_of(postgres) as one, parts_of(postgres) as other, ThreadPoolExecutor(4) as threads:
        begun(one, new_job(uids(40)))

        def work(parts):
            names = []
            for _ in range(100):
                claim = parts.queue.claim()
                if claim is not None:
                    names.append(claim.name)
                    parts.queue.begin(claim, "retrieving")
                    parts.queue.finish(claim, ANSWER)
            return names

        found = [name for names in threads.map(work, [one, other] * 2) for name in names]

        assert sorted(found) == sorted(uids(40))


def test_the_lease_of_a_gateway_that_is_gone_runs_out(postgres):
    with parts_of(postgres) as gone, parts_of(postgres) as here:
        job_id = begun(here, new_job(uids(1)))
        lost = gone.queue.claim()
        gone.queue.begin(lost, "retrieving")
        here.leases.renew()
        assert here.queue.claim() is None

        with here.database.writing() as connection:
            late = update(gateways).where(gateways.c.id == gone.leases.own)
            connection.execute(late.values(leased_until=time.time() - 1))
        here.leases.renew()

        assert here.queue.claim().name == lost.name
        with pytest.raises(LostError):
            gone.queue.finish(lost, ANSWER)
        happened = here.records.one("ada", job_id).happened
        assert [(each.code, each.times) for each in happened] == [("gateway_gone", 1)]


def test_a_gateway_that_stops_in_order_frees_its_studies_at_once(postgres):
    with parts_of(postgres) as ending, parts_of(postgres) as here:
        begun(here, new_job(uids(1)))
        ending.queue.begin(ending.queue.claim(), "retrieving")

        ending.leases.end()

        assert here.queue.claim() is not None


def test_what_could_not_be_written_down_is_freed(here):
    job_id = begun(here, new_job(uids(2)))
    stuck, working = here.queue.claim(), here.queue.claim()

    held = here.leases.held()
    assert sorted(held) == [(job_id, stuck.position), (job_id, working.position)]

    here.leases.free([(job_id, stuck.position)])

    assert here.queue.claim().name == stuck.name
    assert here.queue.claim() is None
