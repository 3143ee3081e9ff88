"""Which paths of Triton's protocol there are here: those that are written down, byte for byte."""

import re
from dataclasses import dataclass

from gateway.engines.catalogue import is_public
from gateway.problems import ProblemError

MODEL = r"/models/(?P<model>[A-Za-z0-9._-]+)(?:/versions/(?P<version>[1-9][0-9]{0,8}))?"

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")
"""All that a request may have: what is not allowed has an answer of ours."""

PATHS = {
    "server": ("GET", re.compile("/v2", re.ASCII)),
    "live": ("GET", re.compile("/v2/health/live", re.ASCII)),
    "ready": ("GET", re.compile("/v2/health/ready", re.ASCII)),
    "model": ("GET", re.compile(f"/v2{MODEL}", re.ASCII)),
    "model_ready": ("GET", re.compile(f"/v2{MODEL}/ready", re.ASCII)),
    "infer": ("POST", re.compile(f"/v2{MODEL}/infer", re.ASCII)),
}


@dataclass(frozen=True)
class Target:
    """What is asked of Triton: a key of PATHS; model and version are empty where it has none."""

    kind: str
    model: str = ""
    version: str = ""

    @property
    def path(self) -> str:
        """The path at Triton: written anew, so that both mean the same."""
        if not self.model:
            return "/v2"
        version = f"/versions/{self.version}" if self.version else ""
        return f"/v2/models/{self.model}{version}" + ("/ready" if "ready" in self.kind else "")


def target_of(method: str, raw_path: str) -> Target:
    """Return what a request asks for.

    raw_path: as it was sent. A path with an escape or an empty segment is none of these, so nothing
    is decoded twice. Raises ProblemError `not_found` or `method_not_allowed`.
    """
    for kind, (allowed, path) in PATHS.items():
        found = path.fullmatch(raw_path)
        if found is None:
            continue
        named = {name: value or "" for name, value in found.groupdict().items()}
        if named and not is_public(named["model"]):
            break
        if method != allowed:
            raise ProblemError(405, "method_not_allowed", f"this takes {allowed}")
        return Target(kind, **named)
    raise ProblemError(404, "not_found", "this part of Triton's protocol is not offered here")
