"""Write docs/errors.md from the code, so that it cannot lag behind: python -m tools.errors_page."""

from imaging.errors import REFUSALS
from imaging.quality import QUALITY
from tools.locations import CHECKOUT

PAGE = CHECKOUT / "docs" / "errors.md"

TEMPLATE = """\
# Codes

Codes are stable: they may be added, and are never renamed. This page is written by
`python -m tools.errors_page`.

## Refusals

The text of an error is `code: sentence`; Triton puts `in ensemble 'ct3dcnn', ` before it. HTTP has
status 400 then, gRPC INVALID_ARGUMENT. A series that is skipped beside others that are used has the
same codes in the report. `internal_error` (HTTP 500) is ours to mend: the server's log says where.

| code | cause | what to do |
|---|---|---|
{refusals}

`deepfeatures` and its client have three more: `retry` (the service was interrupted: send the study
again), `unreachable` (nothing listens there), `service_error` (Triton's own words follow).

## Quality codes

Each row has the codes that apply to it, with a severity and a number: `warn` asks to look,
`exclude` to leave the row out of an analysis.

| code | severity | meaning |
|---|---|---|
{quality}
"""


def errors_page() -> str:
    """Return the page: every refusal with cause and remedy, every quality code with its severity."""
    refusals = [
        f"| `{code}` | {cause} | {remedy} |" for code, (cause, remedy) in sorted(REFUSALS.items())
    ]
    quality = [f"| `{code}` | {severity} | {text} |" for code, (severity, text) in QUALITY.items()]
    return TEMPLATE.format(refusals="\n".join(refusals), quality="\n".join(quality))


if __name__ == "__main__":
    PAGE.write_text(errors_page(), encoding="utf-8")
