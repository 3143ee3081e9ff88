"""What there is for Prometheus and Grafana: rules, board, and the metrics that they may ask for."""

import json
import re

import yaml

from tools.locations import CHECKOUT

DEPLOY = CHECKOUT / "deploy"
PROMETHEUS = DEPLOY / "prometheus"
ALERTS = PROMETHEUS / "alerts.yml"
BOARD = DEPLOY / "grafana" / "dashboards" / "triton-deep-features.json"
PAGE = CHECKOUT / "docs" / "monitoring.md"

METRIC = re.compile(r"\b(?:deepfeatures|nv|haproxy)_\w+|\bup\b|\bALERTS\b")


def rules():
    """The alert rules."""
    return yaml.safe_load(ALERTS.read_text())["groups"][0]["rules"]


def panels():
    """The panels of the board that show something."""
    return [each for each in json.loads(BOARD.read_text())["panels"] if each["type"] != "row"]


def metrics_named(expression):
    """The names of the metrics in an expression of PromQL; labels have other names."""
    return set(METRIC.findall(re.sub(r'"[^"]*"', "", expression)))
