"""Versions come into force: staged, asked, switched to; and back, if they do not answer."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

from tools.engine.sources import CONFIG
from tools.models.configs import ensemble_config, parameters_of
from tools.models.golden import Golden
from tools.models.names import ModelsError, Version
from tools.models.pair import DIGEST, Candidate, write_pair
from tools.models.service import LiveService
from tools.models.store import Store

Say = Callable[[str], None]


def publish(
    candidate: Candidate,
    store: Store,
    service: Callable[[], AbstractContextManager[LiveService]],
    *,
    say: Say,
) -> None:
    """Write a version, try it beside what is served, and serve it; else leave all as it was.

    service: what it is tried in; asked for when the version is written, which most faults show in.
    Raises ModelsError: with the reason why the version is not served.
    """
    version = candidate.version
    with store.incoming() as incoming:
        say(f"writing {version}")
        write_pair(candidate, incoming)
        with service() as live:
            _clear_up(store, live)
            _put_into_force(version, incoming, store=store, live=live, say=say)


def _clear_up(store: Store, live: LiveService) -> None:
    """Remove what publishings that were killed have left, in the store and in the service."""
    for version in store.left_behind():
        live.unload(str(version))
        live.unload_pair(version)
        store.remove(version)


def _put_into_force(
    version: Version, incoming: Path, *, store: Store, live: LiveService, say: Say
) -> None:
    store.keep(version, incoming)
    try:
        say(f"trying {version} in the service")
        _try(version, incoming, store=store, live=live)
        history = [*store.history(version.name), version.number]
        switch(version, store, live, history=history, say=say)
    except BaseException:
        live.unload_pair(version)
        store.remove(version)
        raise
    finally:
        live.unload(str(version))


def _try(version: Version, folder: Path, *, store: Store, live: LiveService) -> None:
    """Ask a version by an ensemble of its own, which is made in a folder beside the store."""
    ensemble = folder / str(version)
    (ensemble / "1").mkdir(parents=True)
    extractor = store.folder_of(version.extractor)
    (ensemble / CONFIG).write_text(ensemble_config(version, extractor))
    live.load(str(version), further=folder)
    _check(version, str(version), extractor, live)


def switch(
    version: Version, store: Store, live: LiveService, *, history: Sequence[int], say: Say
) -> None:
    """Serve a version that is in the store; what was served before, again, if it does not answer.

    history: the versions that were served, this one last.
    """
    name, before = version.name, store.served(version.name)
    earlier = store.history(name)
    say(f"{name} is {version} from now on")
    store.serve(version, history)
    try:
        live.load(name)
        _check(version, name, store.folder_of(version.extractor), live)
    except BaseException:
        _put_back(name, before, earlier, store=store, live=live)
        raise


def _put_back(
    name: str, before: Version | None, history: Sequence[int], *, store: Store, live: LiveService
) -> None:
    if before is None:
        store.forget(name)
        live.unload(name)
        return
    store.serve(before, history)
    live.load(name)


def roll_back(name: str, store: Store, live: LiveService, *, to: int | None, say: Say) -> Version:
    """Serve an earlier version again: the one before, or the one of a number; return it."""
    numbers = {each.number for each in store.versions(name)}
    history = store.history(name)
    if to is None:
        earlier = [number for number in history[:-1] if number in numbers and number != history[-1]]
        if not earlier:
            raise ModelsError(f"{name} has no earlier version that was served")
        to = earlier[-1]
        history = history[: len(history) - history[::-1].index(to)]
    elif to not in numbers:
        raise ModelsError(f"{name} has no version {to}: {_listed(numbers)}")
    else:
        history = [*history, to]
    version = Version(name, to)
    if version == store.served(name):
        raise ModelsError(f"{version} is served already")
    switch(version, store, live, history=history, say=say)
    return version


def remove(version: Version, store: Store, live: LiveService | None) -> None:
    """Remove a version for good; refuse the one that is served, and those of the project."""
    if version not in store.versions(version.name):
        numbers = {each.number for each in store.versions(version.name)}
        raise ModelsError(f"{version.name} has no version {version.number}: {_listed(numbers)}")
    if version == store.served(version.name):
        raise ModelsError(f"{version} is served: roll back, or publish another version, first")
    if not (store.folder / version.extractor).exists():
        raise ModelsError(f"{version} came with the project, and is not in the store")
    if live is not None:
        live.unload_pair(version)
    store.remove(version)


def _check(version: Version, model: str, extractor: Path, live: LiveService) -> None:
    """Ask a served model the study that its version was made for, if it has one."""
    golden = Golden.read(extractor / "1")
    if golden is None:
        return
    stated = parameters_of(extractor.with_name(version.preprocess))
    golden.check(live.url, model, stated[DIGEST])


def _listed(numbers: set[int]) -> str:
    return f"there are {', '.join(map(str, sorted(numbers)))}" if numbers else "it has none"
