"""The API for people to read: made of its description, so that both say the same."""

from html import escape
from typing import Any

from gateway.description import description
from gateway.openapi import REFUSALS
from gateway.results.description import REFUSALS as REFUSALS_OF_RESULTS

PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Deep features: the API</title>
<link rel="icon" href="/static/icon.svg">
<link rel="stylesheet" href="/static/style.css">
<main>
<h1>The API</h1>
<p>For programs. A token of the provider goes with each request; <a href="/openapi.json">OpenAPI
3.1</a> describes all of it, and <code>/v2/</code> is Triton's own protocol behind the same
login.</p>
<pre>curl --data-binary @study.zip -H "Content-Type: application/zip" \\
  -H "Authorization: Bearer $TOKEN" -H "Accept: text/csv" \\
  {url}/api/models/ct3dcnn/features</pre>
{paths}
<h2>Refusals</h2>
<p>Problem details (RFC 9457): <code>code</code> is stable, <code>detail</code> a sentence for
people.</p>
<table><tbody>{refusals}</tbody></table>
</main>
</html>
"""


ALL_REFUSALS = {**REFUSALS_OF_RESULTS, **REFUSALS}


def docs_page(url: str) -> str:
    """Return the page; url: where the gateway is found."""
    paths = "".join(
        _operation(path, method, operation)
        for path, methods in description()["paths"].items()
        for method, operation in methods.items()
    )
    refusals = "".join(_line(str(status), text) for status, text in sorted(ALL_REFUSALS.items()))
    return PAGE.format(url=escape(url), paths=paths, refusals=refusals)


def _operation(path: str, method: str, operation: dict[str, Any]) -> str:
    options = "".join(
        _line(option["name"], option.get("description", _known(option["schema"])))
        for option in operation.get("parameters", ())
    )
    table = f"<table><tbody>{options}</tbody></table>" if options else ""
    heading = f"<h2><code>{method.upper()} {escape(path)}</code></h2>"
    return f"{heading}<p>{escape(operation['summary'])}.</p>{table}"


def _known(schema: dict[str, Any]) -> str:
    return ", ".join(schema.get("enum", ()))


def _line(name: str, text: str) -> str:
    return f"<tr><th><code>{escape(name)}</code></th><td>{escape(text)}</td></tr>"
