"""QuantImage-V2's clinical features, written from webapp/routes/clinical_features.py at a2f5da3.

What is like there: a file's name becomes another one where there is one of it; definitions are
added without a look at those that there are; values of a definition are replaced; patients that
are not in the album are left out unsaid, unless none is left.
"""

from dataclasses import dataclass, field

from starlette.applications import Starlette
from starlette.responses import HTMLResponse, JSONResponse
from starlette.routing import Route

TOKEN = "an-access-token"  # noqa: S105


@dataclass
class ClinicalDouble:
    """One user's clinical features of one album. fails_at: the request of values that fails."""

    patients: frozenset
    files: dict = field(default_factory=dict)
    definitions: list = field(default_factory=list)
    values: dict = field(default_factory=dict)
    fails_at: int = 0
    filled: int = 0
    asked: list = field(default_factory=list)

    @property
    def app(self):
        return Starlette(
            routes=[
                Route("/clinical-features-files", self._files, methods=["GET", "POST"]),
                Route("/clinical-features-files/{id:int}", self._delete, methods=["DELETE"]),
                Route("/clinical-features-definitions", self._defined, methods=["GET", "POST"]),
                Route("/clinical-features", self._fill, methods=["POST"]),
            ]
        )

    async def _files(self, request):
        if (refusal := self._refusal(request)) is not None:
            return refusal
        if request.method == "GET":
            return JSONResponse([{"id": id_, "name": name} for id_, name in self.files.items()])
        name, id_ = (await request.json())["name"], max(self.files, default=0) + 1
        self.files[id_] = f"{name} (2)" if name in self.files.values() else name
        return JSONResponse({"id": id_, "name": self.files[id_]}, 201)

    async def _delete(self, request):
        id_ = request.path_params["id"]
        self.asked.append("DELETE")
        del self.files[id_]
        self.definitions = [each for each in self.definitions if each[0] != id_]
        return JSONResponse({"message": "clinical feature file deleted"})

    async def _defined(self, request):
        if (refusal := self._refusal(request)) is not None:
            return refusal
        if request.method == "POST":
            body = await request.json()
            stated = body["clinical_feature_definitions"]
            for name, each in stated.items():
                kind = each["feat_type"], each["encoding"], each["missing_values"]
                self.definitions.append((body["clinical_feature_file_id"], name, kind))
        found = [{"clinical_feature_file_id": f, "name": name} for f, name, _ in self.definitions]
        return JSONResponse(found)

    async def _fill(self, request):
        if (refusal := self._refusal(request)) is not None:
            return refusal
        self.filled += 1
        if self.filled == self.fails_at:
            return HTMLResponse("Internal Server Error of patient P1", 500)
        body = await request.json()
        file_id, given = body["clinical_feature_file_id"], body["clinical_feature_map"]
        kept = {patient: row for patient, row in given.items() if patient in self.patients}
        if not kept:
            return JSONResponse({"error": "No patients in this clinical features file match"}, 400)
        columns = {name for row in given.values() for name in row}
        for key in [key for key in self.values if key[0] == file_id and key[1] in columns]:
            del self.values[key]
        saved = []
        for patient, row in kept.items():
            for _, name, _ in [each for each in self.definitions if each[0] == file_id]:
                if name in columns:
                    self.values[file_id, name, patient] = row[name] or None
                    saved.append({"value": row[name] or None, "patient_id": patient})
        return JSONResponse(saved)

    def _refusal(self, request):
        """Answer as validate_decorate does, in HTML, and as an album that is not stated."""
        self.asked.append(request.method)
        if request.headers.get("authorization") != f"Bearer {TOKEN}":
            return HTMLResponse("<!doctype html>Unauthorized", 401)
        if not request.query_params.get("album_id"):
            return HTMLResponse("<!doctype html>Internal Server Error", 500)
        return None
