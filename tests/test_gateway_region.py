"""A study in shared memory: counted while it comes, handed over by name, and gone afterwards."""

import asyncio
import errno
import os
import stat
from dataclasses import replace
from types import SimpleNamespace

import pytest

from gateway.problems import ProblemError
from gateway.settings import MIB, Bounds
from gateway.uploads.region import RegionGoneError, Regions
from imaging.shared_study import NAME, mapped
from tools.engine.regions import SHARED_MEMORY, has_owner

BOUNDS = Bounds(
    study_bytes=MIB,
    held_bytes=3 * MIB // 2,
    at_work=1,
    waiting=1,
    of_one_user=1,
    requests_a_minute=1,
    seconds=1.0,
)


def left():
    """Names of studies of this process."""
    own = SHARED_MEMORY.glob(f"deepfeatures-{os.getpid()}-*-study-*")
    return {path.name for path in own}


def content(region):
    async def joined():
        return b"".join([chunk async for chunk in region.chunks()])

    return asyncio.run(joined())


def test_what_is_written_is_read_by_name_and_through_the_file():
    regions = Regions(BOUNDS)
    with regions.new() as region:
        region.write(b"PK")
        region.write(memoryview(b"xx34yy")[2:4])

        assert content(region) == b"PK34"
        with region.handed_over() as name:
            assert bytes(mapped(name)) == b"PK34"
        with region.handed_over() as second:
            assert second != name
            assert bytes(mapped(second)) == b"PK34"
        assert regions.held_bytes == 4
    assert regions.held_bytes == 0
    assert not left()


def test_a_region_is_private_and_named_after_this_process():
    with Regions(BOUNDS).new() as region, region.handed_over():
        names = left()
        assert len(names) == 2
        for name in names:
            assert NAME.fullmatch(name)
            assert has_owner(name)
            assert stat.S_IMODE((SHARED_MEMORY / name).stat().st_mode) == 0o600
    assert not left()


def test_a_study_above_the_limit_is_refused_while_it_comes():
    with Regions(BOUNDS).new() as region:
        region.write(bytes(MIB))
        with pytest.raises(ProblemError) as refused:
            region.write(b"1")

    assert (refused.value.status, refused.value.code) == (413, "too_large")
    assert not left()


def test_a_study_that_is_announced_as_too_large_is_refused_before_it_comes():
    with pytest.raises(ProblemError, match="^too_large"), Regions(BOUNDS).new(2 * MIB):
        pass
    assert not left()


def test_all_studies_together_have_a_limit_too():
    regions = Regions(BOUNDS)
    with regions.new() as first:
        first.write(bytes(MIB))
        with pytest.raises(ProblemError, match="^no_room") as refused, regions.new() as second:
            second.write(bytes(MIB))
        assert refused.value.status == 503
        assert int(refused.value.headers["Retry-After"]) > 0
    with regions.new() as third:
        third.write(bytes(MIB))


def test_a_full_shared_memory_is_no_room(monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    with Regions(BOUNDS).new() as region:
        monkeypatch.setattr(os, "pwrite", full)
        with pytest.raises(ProblemError, match="^no_room"):
            region.write(b"1")
    assert not left()


def test_more_than_shared_memory_has_is_refused_before_it_comes():
    there = os.statvfs(SHARED_MEMORY)
    more = there.f_blocks * there.f_frsize + MIB
    regions = Regions(replace(BOUNDS, study_bytes=2 * more, held_bytes=2 * more))

    with pytest.raises(ProblemError, match="^no_room"), regions.new(more):
        pass
    assert not left()


def test_a_region_that_was_let_go_of_gives_nothing_not_even_another_ones_bytes():
    regions = Regions(BOUNDS)
    with regions.new() as region, regions.new() as other:
        region.write(bytes(3))
        with region.handed_over() as name:
            region.close()
            assert not (SHARED_MEMORY / name).exists()
        other.write(b"somebody else's")

        with pytest.raises(RegionGoneError):
            content(region)
        with pytest.raises(RegionGoneError):
            region.write(b"1")
        with pytest.raises(RegionGoneError), region.handed_over():
            pass


def test_the_end_of_the_gateway_lets_go_of_every_study():
    regions = Regions(BOUNDS)
    with regions.new() as region, region.handed_over():
        region.write(b"1")
        regions.close()
        assert not left()
        assert regions.held_bytes == 0


def test_a_name_that_somebody_removed_is_no_error():
    with Regions(BOUNDS).new() as region:
        region.write(b"12")
        for name in left():
            (SHARED_MEMORY / name).unlink()

        with region.handed_over() as name:
            assert not (SHARED_MEMORY / name).exists()
        assert content(region) == b"12"


def test_some_of_shared_memory_is_left_to_triton(monkeypatch):
    there = os.statvfs(SHARED_MEMORY)
    total = there.f_blocks * there.f_frsize
    regions = Regions(replace(BOUNDS, study_bytes=2 * total, held_bytes=2 * total))
    with regions.new() as region:
        monkeypatch.setattr(os, "statvfs", lambda _: SimpleNamespace(**ALMOST_FULL))
        with pytest.raises(ProblemError, match="^no_room"):
            region.write(b"1")


ALMOST_FULL = {"f_frsize": 4096, "f_blocks": 1 << 20, "f_bavail": 1 << 18}
"""4 GiB, of which 1 GiB is free."""
