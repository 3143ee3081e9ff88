"""How the parts of a published model are called."""

import re
from dataclasses import dataclass

NAME = re.compile(r"[a-z][a-z0-9]*(?:[_-][a-z0-9]+)*")
PART = re.compile(
    rf"(?P<name>{NAME.pattern})__v(?P<version>[1-9]\d*)_(?P<part>preprocess|extractor)"
)

LONGEST_NAME = 40


class ModelsError(RuntimeError):
    """What was asked for cannot be done, and the message says why and what to do."""


@dataclass(frozen=True, order=True)
class Version:
    """One version of a model: an immutable pair, a preprocessing and a network."""

    name: str
    number: int

    @property
    def preprocess(self) -> str:
        return f"{self}_preprocess"

    @property
    def extractor(self) -> str:
        return f"{self}_extractor"

    @property
    def parts(self) -> tuple[str, str]:
        """The names of the two models, as Triton has them."""
        return self.preprocess, self.extractor

    def __str__(self) -> str:
        """Return the name of the pair, and of the ensemble that it is tried by."""
        return f"{self.name}__v{self.number}"

    @classmethod
    def of_part(cls, model: str) -> "Version | None":
        """Return the version that a model of Triton belongs to, None if it belongs to none."""
        found = PART.fullmatch(model)
        return cls(found["name"], int(found["version"])) if found else None


def checked_name(name: str) -> str:
    """Return a name for a model; refuse one that would not do for a folder, a URL or a feature."""
    if not NAME.fullmatch(name) or len(name) > LONGEST_NAME or name == "dicom_to_nifti":
        raise ModelsError(
            f"{name!r} is no name for a model: up to {LONGEST_NAME} small letters and digits, a "
            "letter first, words joined by single - or _"
        )
    return name
