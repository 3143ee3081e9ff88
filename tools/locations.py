"""Where the project's own files are: in a checkout, or installed beside the packages."""

import sys
from pathlib import Path

CHECKOUT = Path(__file__).parents[1]
INSTALLED = Path(sys.prefix, "share", "triton-deep-features")


def data_folder(name: str) -> Path:
    """Return the folder `model_repository`, `backends` or `sample`."""
    in_checkout = CHECKOUT / name
    return in_checkout if in_checkout.is_dir() else INSTALLED / name
