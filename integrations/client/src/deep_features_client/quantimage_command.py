"""`deep-features-quantimage`: features into a QuantImage-V2 whose code stays as it is."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from deep_features_client.clinical import quantimage
from deep_features_client.clinical_table import ClinicalError, read_table, refuse_untrained
from deep_features_client.errors import DeepFeaturesError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return 0 if all was done, 1 if something was refused or failed."""
    stated = _parser().parse_args(arguments)
    try:
        sys.stdout.write(_import(stated) + "\n")
    except DeepFeaturesError as error:
        sys.stderr.write(f"deep-features-quantimage: {error}\n")
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="deep-features-quantimage", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    importing = commands.add_parser("import", help="keep a CSV of features as clinical features")
    add = importing.add_argument
    add("--features", type=Path, required=True, metavar="CSV", help="PatientID,Modality,ROI,…")
    add("--quantimage", required=True, metavar="URL", help="of its backend")
    add("--album", required=True, metavar="ID", help="as Kheops has it")
    add("--token-file", type=Path, required=True, help="holds an access token of its Keycloak")
    add("--name", help="of the file there; otherwise that of the CSV")
    add("--allow", choices=["demonstration"], action="append", default=[])
    add("--dry-run", action="store_true", help="look, and change nothing")
    return parser


def _import(stated: argparse.Namespace) -> str:
    """Import a file, and return what came of it: numbers alone, no patients."""
    refuse_untrained(stated.features, stated.allow)
    table = read_table(stated.features)
    found = quantimage(stated.quantimage, stated.album, _token(stated.token_file))
    with found.http:
        name = stated.name or stated.features.name
        imported = found.import_table(table, name, dry_run=stated.dry_run)
    sent = f"{imported.columns} columns of {len(table.values)} patients"
    if stated.dry_run:
        whether = "a new file" if imported.file_id is None else f"file {imported.file_id}"
        return f"would be kept in {whether}: {sent}"
    return f"file {imported.file_id}: {sent}, {imported.patients} of them in the album"


def _token(file: Path) -> str:
    """Return the token in a file: on the command line every user of the machine could read it."""
    try:
        token = file.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        token = ""
    if not token or len(token.split()) > 1:
        raise ClinicalError("no_token", "the file of the token is missing, or holds no token")
    return token
