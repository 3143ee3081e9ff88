"""Features into QuantImage-V2 as clinical features, by its REST API: its code stays as it is.

Paths, bodies and what they do were read in medgift/quantimage2_backend at a2f5da3,
webapp/routes/clinical_features.py.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import httpx

from deep_features_client.clinical_table import ClinicalError, ClinicalTable
from deep_features_client.errors import (
    DeepFeaturesError,
    NotAllowed,
    ServerFailed,
    TimedOut,
    Unreachable,
)

FILES = "/clinical-features-files"
DEFINITIONS = "/clinical-features-definitions"
VALUES = "/clinical-features"

AS_NUMBERS = {"feat_type": "Number", "encoding": "Normalization", "missing_values": "Median"}
"""What their page proposes for numbers. With the encoding None the ids of their own rows would be
among the features of a training (service/machine_learning.py, get_clinical_features)."""

TIMEOUT_S = 300.0
"""For one request: each value becomes a row of a table."""


@dataclass(frozen=True)
class Imported:
    """What was kept. patients: of the table that the album has; file_id: None if nothing is."""

    file_id: int | None
    columns: int
    patients: int


@dataclass(frozen=True)
class QuantImage:
    """A QuantImage-V2 as one of its users sees an album. token: of its Keycloak realm."""

    http: httpx.Client
    album: str

    def import_table(self, table: ClinicalTable, name: str, *, dry_run: bool = False) -> Imported:
        """Keep a table as the clinical features of a file that is called `name`.

        A file of that name with the same columns gets these values in place of its own; what an
        attempt that broke off has left is completed. dry_run: ask, and change nothing.
        Raises ClinicalError `other_columns` for a file with other columns, `other_patients` if the
        album has no patient of the table; and NotAllowed, ServerFailed, TimedOut, Unreachable.
        """
        file_id = self._file(name)
        known = set() if file_id is None else self._columns(file_id)
        if more := known - set(table.columns):
            sentence = f"the file of this name has {len(more)} columns that the table has not"
            raise ClinicalError("other_columns", f"{sentence}: take another name, or delete it")
        if dry_run:
            return Imported(file_id, len(table.columns), 0)
        if file_id is not None:
            return self._keep(file_id, table, known)
        file_id = self._ask("POST", FILES, {"name": name})["id"]
        try:
            return self._keep(file_id, table, known)
        except ClinicalError as error:
            if error.code == "other_patients":
                self._ask("DELETE", f"{FILES}/{file_id}")  # else it would be there without values
            raise

    def _keep(self, file_id: int, table: ClinicalTable, known: set[str]) -> Imported:
        """Add the columns that are not known, and give all of them their values."""
        kept: set[str] = set()
        for part in table.parts:
            self._define(file_id, [column for column in part if column not in known])
            kept |= self._fill(file_id, table, part)
        return Imported(file_id, len(table.columns), len(kept))

    def _file(self, name: str) -> int | None:
        found = [each["id"] for each in self._ask("GET", FILES) if each["name"] == name]
        return int(found[0]) if found else None

    def _columns(self, file_id: int) -> set[str]:
        return {
            each["name"]
            for each in self._ask("GET", DEFINITIONS)
            if each["clinical_feature_file_id"] == file_id
        }

    def _define(self, file_id: int, columns: Iterable[str]) -> None:
        """Add columns to a file: the same column twice would be two, so known ones are not sent."""
        if definitions := dict.fromkeys(columns, AS_NUMBERS):
            body = {"clinical_feature_file_id": file_id}
            self._ask("POST", DEFINITIONS, {**body, "clinical_feature_definitions": definitions})

    def _fill(self, file_id: int, table: ClinicalTable, part: tuple[str, ...]) -> set[str]:
        """Replace the values of some columns, of all patients at once; return who has them."""
        body = {"clinical_feature_file_id": file_id, "clinical_feature_map": table.part(part)}
        return {each["patient_id"] for each in self._ask("POST", VALUES, body)}

    def _ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        query = {"album_id": self.album}
        try:
            answer = self.http.request(method, path, params=query, json=body)
        except httpx.TimeoutException:
            raise TimedOut("timed_out", f"no answer to {method} {path} in time") from None
        except httpx.TransportError:
            sentence = "QuantImage-V2 cannot be reached, or broke off"
            raise Unreachable("unreachable", sentence) from None
        if not answer.is_success:
            raise _error(answer, path)
        try:
            return answer.json()
        except ValueError:
            sentence = "the answer is no JSON: is this the address of the backend, not of the page?"
            raise ServerFailed("bad_answer", sentence, answer.status_code) from None


def quantimage(url: str, album: str, token: str) -> QuantImage:
    """Return a QuantImage-V2 at an address; the caller closes its `http`."""
    headers = {"Authorization": f"Bearer {token}"}
    return QuantImage(httpx.Client(base_url=url, headers=headers, timeout=TIMEOUT_S), album)


def _error(answer: httpx.Response, path: str) -> DeepFeaturesError:
    """Return what a status means; what the answer says beside it may be anything."""
    status = answer.status_code
    if status in (401, 403):
        sentence = "the token is not one of this QuantImage-V2's users, or has ended"
        return NotAllowed("not_allowed", sentence, status)
    if status == 400 and path == VALUES:
        sentence = "the album has none of the table's patients: compare their ids"
        return ClinicalError("other_patients", sentence, status)
    if status == 413:
        sentence = "a proxy takes no body of this size: let it take more"
        return ClinicalError("too_large", sentence, status)
    if status < 500:
        sentence = f"{path} answered {status}: is it version 3.3 or later, and its backend's URL?"
        return ClinicalError("bad_request", sentence, status)
    return ServerFailed("server_failed", f"{path} answered {status}: see its log", status)
