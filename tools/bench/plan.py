"""How long the bench measures, on what; and what its sections share."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tools.bench.scans import Scan, ct, mr, pt
from tools.bench.studies import Study


@dataclass(frozen=True)
class Plan:
    """The sizes of a run.

    rounds: of everything that takes turns; what takes 10 s a turn has `slow_rounds`.
    client_seconds: for each number of clients, all of them busy.
    pause_seconds: after the largest zip, before its memory is looked at again; what gives memory
    back has done so within a minute (tools/engine/recycling.py).
    studies_in_a_row: small ones, for memory that grows; `settled_after` the first of them.
    """

    rounds: int = 11
    slow_rounds: int = 3
    growth_rounds: int = 5
    scans: tuple[Scan, ...] = field(default_factory=lambda: (ct(), mr(), pt()))
    clients: tuple[int, ...] = (1, 2, 4, 8)
    client_seconds: float = 12
    slices: tuple[int, ...] = (50, 100, 200, 400, 700, 1000)
    regions: tuple[int, ...] = (1, 2, 4, 8, 16, 32)
    large_bytes: int = 600_000_000
    pause_seconds: float = 75
    small_slices: int = 32
    studies_in_a_row: int = 200
    settled_after: int = 20


def quick_plan() -> Plan:
    """Return a run that shows that everything works: its numbers mean little."""
    return Plan(
        rounds=3,
        slow_rounds=1,
        growth_rounds=1,
        scans=(ct(40), mr(40), pt(40)),
        client_seconds=1.5,
        clients=(1, 2),
        slices=(20, 40, 80),
        regions=(1, 2, 4),
        large_bytes=20_000_000,
        pause_seconds=1,
        small_slices=8,
        studies_in_a_row=8,
        settled_after=4,
    )


@dataclass
class Workshop:
    """What the sections share.

    folder: for files of this run, removed with it.
    zip_file: the study of a user, None for a made CT.
    missing: what was not measured, and the package that it needs.
    say: tells the user what is being done.
    """

    plan: Plan
    folder: Path
    zip_file: Path | None
    say: Callable[[str], None]
    missing: dict[str, str] = field(default_factory=dict)
    _made: dict[str, Study] = field(default_factory=dict)

    def study_file(self) -> Path:
        """Return the zip that the service and its peers get: the user's, or a made CT."""
        return self.zip_file or self.made_file(self.plan.scans[0])

    def made_file(self, scan: Scan) -> Path:
        """Return a made study as a file."""
        file = self.folder / f"{scan.modality}-{scan.slices}.zip"
        if not file.exists():
            file.write_bytes(self.made(scan).zip())
        return file

    def made(self, scan: Scan) -> Study:
        """Return a made study; one of each modality is made in a run, of any number of slices."""
        if scan.modality not in self._made:
            self.say(f"making a {scan.modality} study")
            self._made[scan.modality] = Study(scan)
        return self._made[scan.modality]
