"""Write the codes from the code, so that nothing lags behind: python -m tools.errors_page.

They are listed in docs/errors.md, and in a module of the page, which says them in sentences.
"""

import json
from collections.abc import Iterable, Sequence

from gateway.codes import GATEWAY_CODES
from imaging.errors import REFUSALS
from imaging.quality import QUALITY
from imaging.regions import NOTES
from imaging.suv.maps import PATH_CODES
from tools.locations import CHECKOUT

PAGE = CHECKOUT / "docs" / "errors.md"
MODULE = CHECKOUT / "gateway" / "page" / "static" / "codes.js"

TEMPLATE = """\
# Codes

Codes are stable: they may be added, and are never renamed. This page is written by
`python -m tools.errors_page`.

## Refusals

The text of an error is `code: sentence`; Triton puts `in ensemble 'ct3dcnn', ` before it. HTTP has
status 400 then, gRPC INVALID_ARGUMENT, but for `busy`. A series that is skipped beside others that
are used has the same codes in the report. `internal_error` (HTTP 500) is ours to mend: the server's
log says where.

| code | cause | what to do |
|---|---|---|
{refusals}

`deepfeatures` and its client have three more: `retry` (the service was interrupted: send the study
again), `unreachable` (nothing listens there), `service_error` (Triton's own words follow).

## Of the gateway

Beside the engine's. Which status goes with each: [gateway.md](gateway.md#what-an-error-means),
[jobs.md](jobs.md#what-an-error-means), [sources.md](sources.md#what-an-error-means).

| code | cause | what to do |
|---|---|---|
{gateway}

## Quality codes

Each row has the codes that apply to it, with a severity and a number: `warn` asks to look,
`exclude` to leave the row out of an analysis.

| code | severity | meaning |
|---|---|---|
{quality}

## Notes

`unit_notes` of a row say how PET became SUVbw, where that was not the plain way:

| note | meaning |
|---|---|
{suv}

`roi_notes` of a row say what was unusual about a region's contours or frames:

| note | meaning |
|---|---|
{regions}

`warnings` of the report, with a number of objects: `copies_left_out`, that the zip has more than
once; `uids_absent`, that name no study or no series, and were taken for one series.
"""


def errors_page() -> str:
    """Return the page: refusals with cause and remedy, quality codes with severity, notes."""
    refusals = [(code, *texts) for code, texts in sorted(REFUSALS.items())]
    quality = [(code, *texts) for code, texts in QUALITY.items()]
    return TEMPLATE.format(
        refusals=_lines(refusals),
        gateway=_lines([(code, *texts) for code, texts in sorted(GATEWAY_CODES.items())]),
        quality=_lines(quality),
        suv=_lines(sorted(PATH_CODES.items())),
        regions=_lines(sorted(NOTES.items())),
    )


def codes_module() -> str:
    """Return the module of the page: remedies of refusals, meanings of quality codes and notes."""
    tables = {
        "REMEDIES": {
            code: remedy for code, (_, remedy) in sorted({**GATEWAY_CODES, **REFUSALS}.items())
        },
        "QUALITY": {code: meaning for code, (_, meaning) in QUALITY.items()},
        "NOTES": dict(sorted({**PATH_CODES, **NOTES}.items())),
    }
    exports = [
        f"export const {name} = {json.dumps(table, indent=2, ensure_ascii=False)};\n"
        for name, table in tables.items()
    ]
    return "\n".join(
        ["/** What codes mean. Written by python -m tools.errors_page. */\n", *exports]
    )


def _lines(rows: Iterable[Sequence[str]]) -> str:
    return "\n".join(f"| `{code}` | {' | '.join(texts)} |" for code, *texts in rows)


if __name__ == "__main__":
    PAGE.write_text(errors_page(), encoding="utf-8")
    MODULE.write_text(codes_module(), encoding="utf-8")
