"""Which version of a model has the weights that made a stored row."""

from collections.abc import Sequence

from tools.models.configs import parameters_of
from tools.models.names import Version
from tools.models.pair import DIGEST
from tools.models.store import Store
from tools.verification.differences import Compared


def weights_advice(rows: Sequence[Compared], store: Store, model: str) -> list[str]:
    """Return a sentence for each weights of stored rows that are others now: where they are.

    model: that was asked.
    """
    digests = {each.stored for row in rows for each in row.fields if each.field == DIGEST}
    return [_advice(digest, store, model) for digest in sorted(digests)]


def versions_with(digest: str, store: Store) -> list[Version]:
    """Return the versions of models in a store, and of the project's own, that have the weights."""
    return [
        version
        for version in store.versions()
        if parameters_of(store.folder_of(version.preprocess))[DIGEST] == digest
    ]


def _advice(digest: str, store: Store, model: str) -> str:
    versions = versions_with(digest, store)
    stored = f"the stored rows were made with the weights {digest[:12]}…"
    own = [version for version in versions if version.name == model]
    if own and store.served(model) in own:
        return f"{stored}: {own[-1]} has them and is served here; the service asked serves others"
    if own:
        return (
            f"{stored}: version {own[-1].number} of {model} has them; `deepfeatures models "
            f"rollback {model} --to {own[-1].number}` serves it again"
        )
    if versions:
        return f"{stored}: {versions[-1]} has them; --model {versions[-1].name} asks that model"
    return (
        f"{stored}, and no version in {store.folder} has them: publish that network again, or ask "
        "a service that has it by --url"
    )
