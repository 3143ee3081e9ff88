"""Where the real DICOM cases are, beside a checkout that has them."""

from pathlib import Path

SHARED = Path(__file__).parents[2] / "shared" / "data"
