"""The store: published pairs, and for each model the ensemble that says which pair is served."""

import fcntl
import json
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tools.engine.sources import CONFIG, models_in, steps_of
from tools.models.configs import ensemble_config
from tools.models.names import ModelsError, Version

LOCK, INCOMING = ".lock", ".incoming-"
HISTORY = "served.json"
"""Beside the ensemble's configuration: the versions that were served, the present one last."""


@dataclass(frozen=True)
class Store:
    """Published models in `folder`, over those of the project in `repository`.

    What is in `repository` is read, and never written.
    """

    folder: Path
    repository: Path

    @property
    def sources(self) -> tuple[Path, ...]:
        """The folders that models come from, the last one first."""
        return self.repository, self.folder

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep others from changing the store during the block; refuse if somebody is at it."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / LOCK).open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                raise ModelsError(
                    "another command is changing the published models: try again when it is done"
                ) from error
            yield

    @contextmanager
    def incoming(self) -> Iterator[Path]:
        """Give a folder for what is not published yet; it is removed after the block.

        In a store that is locked: what is there already, a command that was killed has left.
        """
        for left in self.folder.glob(f"{INCOMING}*"):
            shutil.rmtree(left)
        with tempfile.TemporaryDirectory(prefix=INCOMING, dir=self.folder) as folder:
            yield Path(folder)

    def versions(self, name: str | None = None) -> list[Version]:
        """Return the complete versions of a model, or of all; those of the project among them."""
        models = models_in(self.sources)
        found = {version for model in models if (version := Version.of_part(model))}
        complete = [each for each in found if all(part in models for part in each.parts)]
        return sorted(each for each in complete if name in (None, each.name))

    def left_behind(self) -> list[Version]:
        """Return versions in the store that were never served: their publishing was killed."""
        parts = (Version.of_part(folder.name) for folder in self.folder.glob("[!.]*"))
        return sorted(
            version
            for version in set(filter(None, parts))
            if version.number not in self.history(version.name)
        )

    def next_version(self, name: str) -> Version:
        """Return the version that is to come: numbers are never used again."""
        taken = [each.number for each in self.versions(name)] + self.history(name)
        return Version(name, max(taken, default=0) + 1)

    def served(self, name: str) -> Version | None:
        """Return the version that is served under a name, None if there is none."""
        model = models_in(self.sources).get(name)
        steps = map(Version.of_part, steps_of(model) if model else ())
        return next(filter(None, steps), None)

    def history(self, name: str) -> list[int]:
        """Return the numbers of the versions that were served, the present one last."""
        try:
            numbers: list[int] = json.loads((self.folder / name / HISTORY).read_text())
        except FileNotFoundError:
            served = self.served(name)
            return [served.number] if served else []
        return numbers

    def folder_of(self, model: str) -> Path:
        """Return the folder of one model of Triton."""
        return models_in(self.sources)[model]

    def keep(self, version: Version, incoming: Path) -> None:
        """Move a pair into the store."""
        for part in version.parts:
            (incoming / part).rename(self.folder / part)

    def serve(self, version: Version, history: Sequence[int]) -> None:
        """Write which version is served from now on, and what was served before."""
        folder = self.folder / version.name
        (folder / "1").mkdir(parents=True, exist_ok=True)  # Triton wants a version of an ensemble
        _replace(folder / HISTORY, json.dumps([*history]))
        _replace(folder / CONFIG, ensemble_config(version, self.folder_of(version.extractor)))

    def forget(self, name: str) -> None:
        """Take away the ensemble of a name; one of the project's own comes back into force."""
        shutil.rmtree(self.folder / name, ignore_errors=True)

    def remove(self, version: Version) -> None:
        """Remove a pair for good, or the half of it that is there."""
        for part in version.parts:
            if (self.folder / part).exists():
                shutil.rmtree(self.folder / part)


def _replace(file: Path, text: str) -> None:
    """Write a file in one step: who reads it sees all of the old text or all of the new."""
    new = file.with_name(f".{file.name}")
    new.write_text(text)
    new.replace(file)
