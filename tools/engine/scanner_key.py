"""The key that makes names of scanners: one a deployment, so that rows of years can be compared."""

import os
import secrets
from contextlib import suppress
from pathlib import Path

from tools.engine.stated import stated

VARIABLE = "DEEPFEATURES_SCANNER_KEY"
"""As imaging.serving reads it."""

KEY_BYTES = 32


def scanner_key() -> str:
    """Return the key of the environment, else the one that this account keeps, made when needed.

    It may be stated by a file, too: stated.py. Returns "" where it can be neither read nor kept:
    rows then have no names of scanners, since names that change with each start would tell nothing.
    """
    if key := stated(os.environ, VARIABLE):
        return key
    state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    file = Path(state, "triton-deep-features", "scanner.key")
    try:
        if not file.exists():
            _keep(file, secrets.token_hex(KEY_BYTES))
        return file.read_text(encoding="ascii")
    except (OSError, ValueError):
        return ""


def _keep(file: Path, key: str) -> None:
    """Write the key for this account alone; of two starts at a time, the first one's stays."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = file.with_suffix(f".{os.getpid()}")
    draft.touch(mode=0o600)
    draft.write_text(key, encoding="ascii")
    with suppress(FileExistsError):
        os.link(draft, file)
    draft.unlink()
