"""Studies by a part of a patient's id or name: two questions to a server, put together here."""

import re
from collections.abc import Awaitable, Callable, Mapping
from typing import NamedTuple

from gateway.sources.found import Page, Study
from gateway.sources.qido import is_uid
from gateway.sources.queries import Query
from gateway.sources.source import SourceError

MOST_FOUND = 2000
"""Studies that are sorted here; a server is not asked for all that it has."""


UNSAFE = re.compile(r"[^A-Za-z0-9_.-]+")
"""What is encoded in a URL: Orthanc's DICOMweb 1.7 does not decode it, and finds nothing. Servers
are asked for anything in its place, and what they find is looked through here."""


class Wanted(NamedTuple):
    """A question to a server: filters by keyword of attributes; sort as Query has it."""

    filters: Mapping[str, str]
    limit: int
    offset: int
    sort: str


Ask = Callable[[Wanted], Awaitable[Page[Study]]]
"""Asks a server; raises SourceError."""


async def studies(query: Query, ask: Ask, *, sorts: bool) -> Page[Study]:
    """Return a page of the studies that are looked for; sorts: whether the server does.

    Raises SourceError, `bad_query` if too many are found to be put together.
    """
    modality = {"ModalitiesInStudy": query.modality} if query.modality else {}
    if not query.search and (sorts or not query.sort):
        return await ask(Wanted(modality, query.limit, query.offset, query.sort))
    found: dict[str, Study] = {}
    for filters in _alternatives(query.search):
        page = await ask(Wanted({**modality, **filters}, MOST_FOUND + 1, 0, ""))
        if len(page.found) > MOST_FOUND:
            sentence = f"more than {MOST_FOUND} studies are found: look for more of the name or id"
            raise SourceError("bad_query", sentence)
        found |= {study.study_uid: study for study in page.found if _has(study, query.search)}
    ordered = sorted(found.values(), key=_key(query), reverse=query.is_descending or not query.sort)
    return Page(ordered[query.offset : query.offset + query.limit], len(ordered))


def _alternatives(search: str) -> list[Mapping[str, str]]:
    if not search:
        return [{}]
    if is_uid(search) and "." in search:
        return [{"StudyInstanceUID": search}]
    pattern = f"*{UNSAFE.sub('*', search)}*"
    return [{"PatientID": pattern}, {"PatientName": pattern}]


def _has(study: Study, search: str) -> bool:
    """Return whether a study is meant, where a server was asked for more than that."""
    if not UNSAFE.search(search):
        return True  # as the server says: it may have found another spelling of the name
    return any(search.lower() in each.lower() for each in (study.patient_id, study.patient_name))


KEYS: Mapping[str, Callable[[Study], str]] = {
    "date": lambda study: study.date,
    "patient_id": lambda study: study.patient_id.lower(),
    "name": lambda study: study.patient_name.lower(),
}


def _key(query: Query) -> Callable[[Study], tuple[str, str]]:
    """Return by what studies are sorted: without a wish the newest first, and equal ones by UID."""
    value = KEYS[query.sorted_by or "date"]
    return lambda study: (value(study), study.study_uid)
