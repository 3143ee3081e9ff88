"""Names of variables: those of compose files, of .env.example, and of the code."""

import ast
import re
from collections.abc import Iterable
from pathlib import Path

VARIABLE = re.compile(r"(?<!\$)\$\{(\w+)(?::?[-?+][^}]*)?\}")
"""As compose replaces it; $$ is a dollar sign."""

LINE = re.compile(r"#?([A-Z][A-Z0-9_]*)=(.*)")

SETTING = re.compile(r"(?:GATEWAY|DEEPFEATURES)_[A-Z0-9_]+")


def variables(text: str) -> set[str]:
    """Return the names that compose replaces in a file, but for those in its comments."""
    lines = (line for line in text.splitlines() if not line.lstrip().startswith("#"))
    return {name for line in lines for name in VARIABLE.findall(line)}


def example(text: str) -> dict[str, str]:
    """Return what .env.example states, or shows as a default: names and values."""
    found = filter(None, map(LINE.fullmatch, text.splitlines()))
    return {line[1]: line[2] for line in found}


def settings(folders: Iterable[Path]) -> set[str]:
    """Return the names of settings that stand as texts of their own in the code of some folders."""
    modules = (
        file.read_text(encoding="utf-8") for folder in folders for file in folder.rglob("*.py")
    )
    return {
        node.value
        for module in modules
        for node in ast.walk(ast.parse(module))
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and SETTING.fullmatch(node.value)
    }
