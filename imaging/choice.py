"""Which of several series of one modality is taken: one a study, by a declared rule, never guessed.

The series that the regions of interest reference comes first. Then the model's criteria are tried
in their order; a tie that is left is asked back.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from imaging.acquisition import phase
from imaging.errors import InputError, shown_uid
from imaging.kernels import sharpness
from imaging.series import Series
from imaging.stacks.slices import Slice

SAME_THICKNESS = 0.02
"""Relative: distances of slices are measured, and jitter."""

ALL, ASKED, ONLY, REGIONS = "all", "asked", "only", "regions"
"""Why a series was taken, beside the criteria: all were, it was asked for by its UID, there is no
other one, the regions reference it."""


@dataclass(frozen=True)
class Candidate:
    """An image series of a study, as far as the choice depends on it.

    middle: a slice of its first volume; None if none of its volumes can be used.
    slice_mm: the measured distance of slices.
    """

    series: Series
    middle: Slice | None
    slice_mm: float = 0.0


@dataclass(frozen=True)
class Choice:
    """The series that are taken, by their number among the candidates, with why.

    others: the number and the reason of each that could have been taken, and was not.
    """

    taken: Mapping[int, str]
    others: Mapping[int, str]


CHOSEN, TIED, OTHER, UNUSABLE = "chosen", "tied", "other", "unusable"


@dataclass(frozen=True)
class Standing:
    """What becomes of a candidate by the rule.

    word: chosen, tied with others, other (another one is chosen), or unusable.
    decided_by: the criterion, or another word for why; "" of a tie, and of what cannot be used.
    reason: a sentence, of what could have been taken and is not.
    """

    word: str
    decided_by: str = ""
    reason: str = ""


def choose(
    candidates: Sequence[Candidate], referenced: frozenset[str], rule: Sequence[str]
) -> Choice:
    """Return one series for each modality of each study; refuse a tie as `ambiguous_series`.

    referenced: SeriesInstanceUIDs that the regions of interest name. A series that they name and
    that cannot be used is not replaced by another.
    rule: names of CRITERIA.
    """
    taken: dict[int, str] = {}
    others: dict[int, str] = {}
    for group in _by_modality(candidates).values():
        found = _standings({n: candidates[n] for n in group}, referenced, rule)
        tied = [n for n, standing in found.items() if standing.word == TIED]
        if tied:
            raise _tie([candidates[n] for n in tied], rule)
        for n, standing in found.items():
            if standing.word == CHOSEN:
                taken[n] = standing.decided_by
            elif standing.word == OTHER:
                others[n] = standing.reason
    return Choice(taken, others)


def standings(
    candidates: Sequence[Candidate], referenced: frozenset[str], rule: Sequence[str]
) -> dict[int, Standing]:
    """Return what becomes of each candidate, by its number; as `choose`, but ties are told."""
    found: dict[int, Standing] = {}
    for group in _by_modality(candidates).values():
        found |= _standings({n: candidates[n] for n in group}, referenced, rule)
    return found


def _standings(
    group: Mapping[int, Candidate], referenced: frozenset[str], rule: Sequence[str]
) -> dict[int, Standing]:
    pool, reason, lost = _decided(group, referenced, rule)
    found: dict[int, Standing] = {}
    for n, candidate in group.items():
        if n in pool:
            found[n] = Standing(CHOSEN, reason) if len(pool) == 1 else Standing(TIED)
        elif candidate.middle is None:
            found[n] = Standing(UNUSABLE)
        else:
            by = lost.get(n, reason)
            found[n] = Standing(OTHER, by, _why_not(by, candidate.series.modality))
    return found


def _by_modality(candidates: Sequence[Candidate]) -> dict[tuple[str, ...], list[int]]:
    groups: dict[tuple[str, ...], list[int]] = {}
    for n, candidate in enumerate(candidates):
        series = candidate.series
        key = (series.patient_id, series.study_uid, series.modality)
        groups.setdefault(key, []).append(n)
    return groups


def _decided(
    group: Mapping[int, Candidate], referenced: frozenset[str], rule: Sequence[str]
) -> tuple[dict[int, Candidate], str, dict[int, str]]:
    """Return what is left of a group, what decided, and by which criterion each other was lost."""
    named = {n: each for n, each in group.items() if each.series.series_uid in referenced}
    wanted = named or group
    pool = {n: each for n, each in wanted.items() if each.middle is not None}
    if len(pool) <= 1:
        return pool, REGIONS if named and len(group) > 1 else ONLY, {}
    lost: dict[int, str] = {}
    for criterion in rule:
        best = CRITERIA[criterion](pool)
        if best is None:
            break  # the candidates differ in what nobody but the sender can rank
        lost |= dict.fromkeys(pool.keys() - best.keys(), criterion)
        pool = best
        if len(pool) == 1:
            return pool, criterion, lost
    return pool, "", lost


Pool = Mapping[int, Candidate]


def _originals(pool: Pool) -> dict[int, Candidate]:
    """Return images that were acquired and not computed, if there are any (PS3.3 C.7.6.1.1.2)."""
    found = {n: each for n, each in pool.items() if _is_original(each.middle)}
    return found or dict(pool)


def _is_original(middle: Slice | None) -> bool:
    return middle is not None and middle.stated("ImageType")[:2] == ("ORIGINAL", "PRIMARY")


def _same_phase(pool: Pool) -> dict[int, Candidate] | None:
    """Return all of them if they are of one phase; None if they are not: no phase is the better."""
    phases = {
        phase(each.series.modality, each.middle)
        for each in pool.values()
        if each.middle is not None
    }
    return dict(pool) if len(phases) == 1 else None


def _smoothest(pool: Pool) -> dict[int, Candidate]:
    """Return those of the smoothest kernel, if the kernels of all are known to this software."""
    ranks = {n: sharpness(each.middle) for n, each in pool.items() if each.middle is not None}
    known = [rank for rank in ranks.values() if rank is not None]
    if len(known) < len(ranks):
        return dict(pool)
    return {n: pool[n] for n, rank in ranks.items() if rank == min(known)}


def _thinnest(pool: Pool) -> dict[int, Candidate]:
    """Return those whose slices lie closest."""
    least_mm = min(each.slice_mm for each in pool.values())
    most_mm = least_mm * (1 + SAME_THICKNESS)
    return {n: each for n, each in pool.items() if each.slice_mm <= most_mm}


CRITERIA: Mapping[str, Callable[[Pool], dict[int, Candidate] | None]] = MappingProxyType(
    {
        "original": _originals,
        "phase": _same_phase,
        "kernel": _smoothest,
        "thickness": _thinnest,
    }
)


def _why_not(reason: str, modality: str) -> str:
    if reason in (REGIONS, ONLY):
        return f"the regions of interest reference another {modality} series of the study"
    return f"another {modality} series of the study comes first by the criterion {reason}"


def _tie(pool: Sequence[Candidate], rule: Sequence[str]) -> InputError:
    listed = "; ".join(
        f"{shown_uid(each.series.series_uid)} ({len(each.series.instances)} objects, "
        f"{each.slice_mm:.3g} mm)"
        for each in pool
    )
    return InputError(
        "ambiguous_series",
        f"the study has {len(pool)} {pool[0].series.modality} series that {', '.join(rule)} do not "
        f"rank: {listed}; the option series takes one or more of them, or all",
    )
