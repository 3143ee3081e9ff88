"""`make deploy-check`: the files for containers, each by the program that will read it.

Nothing is started and nothing is fetched. What a program would have checked that is not installed
is skipped, and said to be.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tools.deployment.names import example, variables
from tools.locations import CHECKOUT

DEPLOY = CHECKOUT / "deploy"

PROXY = {"DEEPFEATURES_HOST": "localhost", "DEEPFEATURES_CERTIFICATE": "internal"}
"""What the Caddyfile needs to be read."""


@dataclass(frozen=True)
class Program:
    """A program that checks files; arguments stand before their names."""

    name: str
    arguments: tuple[str, ...]
    files: tuple[Path, ...]


def programs() -> tuple[Program, ...]:
    """Return what is run over which files."""
    compose = (CHECKOUT / "compose.yaml", *sorted(DEPLOY.glob("*.yaml")))
    dockerfiles = (CHECKOUT / "Dockerfile.triton", CHECKOUT / "gateway" / "Dockerfile")
    return (
        Program("hadolint", (), dockerfiles),
        Program("check-jsonschema", ("--builtin-schema", "vendor.compose-spec"), compose),
        Program("caddy", ("validate", "--adapter", "caddyfile", "--config"), _in("tls/Caddyfile")),
        Program("promtool", ("check", "rules"), _in("prometheus/alerts.yml")),
        # Without --syntax-only it wants the secret that Prometheus gets.
        Program("promtool", ("check", "config", "--syntax-only"), _in("prometheus/prometheus.yml")),
        Program("promtool", ("test", "rules"), _in("prometheus/alerts_test.yml")),
        *(Program("sh", ("-n",), (script,)) for script in sorted(DEPLOY.rglob("*.sh"))),
    )


def _in(name: str) -> tuple[Path, ...]:
    return tuple(DEPLOY.glob(name))


def results(programs: Sequence[Program]) -> Iterator[tuple[str, str, str]]:
    """Yield for each check: "ok", "skipped" or "wrong"; what it was; and why, if not ok."""
    for program in programs:
        if program.files:
            names = ", ".join(str(file.relative_to(CHECKOUT)) for file in program.files)
            what = " ".join((program.name, *program.arguments, names))
            yield _run(program, what)
    for file in sorted(DEPLOY.rglob("*.json")):
        yield _json(file)
    yield _names()


def _run(program: Program, what: str) -> tuple[str, str, str]:
    binary = shutil.which(program.name, path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    if binary is None:
        return "skipped", what, f"{program.name} is not installed"
    command = [binary, *program.arguments, *map(str, program.files)]
    done = subprocess.run(
        command, env=os.environ | PROXY, capture_output=True, text=True, check=False
    )
    if done.returncode == 0:
        return "ok", what, ""
    return "wrong", what, done.stdout + done.stderr


def _json(file: Path) -> tuple[str, str, str]:
    what = f"JSON {file.relative_to(CHECKOUT)}"
    try:
        json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        return "wrong", what, str(error)
    return "ok", what, ""


def _names() -> tuple[str, str, str]:
    """Compare the variables of compose files with those that .env.example explains."""
    files = (CHECKOUT / "compose.yaml", *sorted(DEPLOY.glob("*.yaml")))
    used = set().union(*(variables(file.read_text(encoding="utf-8")) for file in files))
    explained = set(example((CHECKOUT / ".env.example").read_text(encoding="utf-8")))
    differing = sorted(used ^ (explained - {"COMPOSE_FILE", "COMPOSE_PROFILES"}))
    problem = f"either used or explained, not both: {', '.join(differing)}" if differing else ""
    return "wrong" if problem else "ok", "variables of compose files, and .env.example", problem


def main() -> int:
    """Print a line for each check; return 1 if something is wrong."""
    verdicts = set()
    for verdict, what, why in results(programs()):
        verdicts.add(verdict)
        sys.stdout.write(f"{verdict:8}{what}{': ' if why else ''}{why}\n")
    return 1 if "wrong" in verdicts else 0


if __name__ == "__main__":
    sys.exit(main())
