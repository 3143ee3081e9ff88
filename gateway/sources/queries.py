"""What somebody looks for: read out of a query, checked before a word of it goes further."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from starlette.datastructures import QueryParams

from gateway.problems import ProblemError

ALBUM_SORTS = ("name", "created", "changed", "studies")
STUDY_SORTS = ("date", "patient_id", "name")

MOST_AT_ONCE = 1000
USUAL = 50
FURTHEST = 1_000_000
LONGEST_SEARCH = 64

MODALITY = re.compile(r"[A-Za-z0-9_]{1,16}\Z")
"""PS3.3 C.7.3.1.1.1: a code string."""

FORBIDDEN = re.compile(r"[\x00-\x1f\x7f-\x9f\\*?]")
"""Wildcards are put around a search; the backslash parts values (PS3.5 section 6.2)."""


@dataclass(frozen=True)
class Query:
    """What is looked for; sort: one of the known ones, "-" before it for the last first, or ""."""

    search: str
    modality: str
    sort: str
    limit: int
    offset: int

    @property
    def is_descending(self) -> bool:
        """Whether the last comes first."""
        return self.sort.startswith("-")

    @property
    def sorted_by(self) -> str:
        """What it is sorted by, without the direction."""
        return self.sort.removeprefix("-")


def query_of(params: QueryParams, *, sorts: Iterable[str], has_modality: bool) -> Query:
    """Return what a request looks for; raises ProblemError `bad_query`."""
    known = {"search", "sort", "limit", "offset"} | ({"modality"} if has_modality else set())
    if set(params) - known or len(params.multi_items()) > len(params):
        raise bad_query(f"a search has {', '.join(sorted(known))}, each once")
    modality = params.get("modality", "")
    if modality and not MODALITY.match(modality):
        raise bad_query("modality is not one such as CT")
    sort = params.get("sort", "")
    if sort and sort.removeprefix("-") not in sorts:
        raise bad_query(f"sort is none of {', '.join(sorts)}, or one with - before it")
    return Query(
        search=_search(params.get("search", "")),
        modality=modality.upper(),
        sort=sort,
        limit=_number(params, "limit", default=USUAL, least=1, most=MOST_AT_ONCE),
        offset=_number(params, "offset", default=0, least=0, most=FURTHEST),
    )


def bad_query(sentence: str) -> ProblemError:
    """Return the refusal of a search."""
    return ProblemError(400, "bad_query", sentence)


def _search(text: str) -> str:
    text = text.strip()
    if len(text) > LONGEST_SEARCH or FORBIDDEN.search(text):
        raise bad_query(
            f"search is a part of a name or an id, up to {LONGEST_SEARCH} characters, without * ?"
        )
    return text


def _number(params: QueryParams, name: str, *, default: int, least: int, most: int) -> int:
    stated = params.get(name, str(default))
    if not re.fullmatch(r"[0-9]{1,9}", stated, re.ASCII) or not least <= int(stated) <= most:
        raise bad_query(f"{name} is not a number from {least} to {most}")
    return int(stated)
