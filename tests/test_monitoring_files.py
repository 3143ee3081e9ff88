"""Rules, board, proxy and what is written of them, without any service: quick, and offline."""

import asyncio
import json
import math
import re
import secrets
import shutil
import subprocess

import httpx
import pytest
import yaml
from cryptography.fernet import Fernet
from login_world import local_settings, running
from monitoring_files import (
    ALERTS,
    BOARD,
    DEPLOY,
    PAGE,
    PROMETHEUS,
    metrics_named,
    panels,
    rules,
)
from prometheus_client import generate_latest
from remote_proxy import CONFIGURATION, make_certificates, needed

from tools.engine.metrics import engine_metrics
from tools.engine.state import EngineState

TOKEN = secrets.token_urlsafe()

ANCHOR = re.compile(r"^### (.+)$", re.M)


@pytest.fixture(scope="module")
def everything(tmp_path_factory):
    """The names of all metrics of ours: of a gateway with jobs, and of an engine."""
    settings = local_settings(
        GATEWAY_METRICS_TOKEN=TOKEN,
        GATEWAY_JOBS_DATABASE=f"sqlite:///{tmp_path_factory.mktemp('jobs')}/jobs.db",
        GATEWAY_JOBS_KEY=Fernet.generate_key().decode(),
    )

    async def page():
        async with running(settings) as app:
            transport = httpx.ASGITransport(app)
            async with httpx.AsyncClient(transport=transport, base_url="http://gateway") as client:
                headers = {"Authorization": f"Bearer {TOKEN}"}
                return (await client.get("/metrics", headers=headers)).text

    pages = asyncio.run(page()) + generate_latest(engine_metrics(EngineState())).decode()
    return set(re.findall(r"^# HELP (deepfeatures_\w+)(?<!_created) ", pages, re.M))


def run(*command):
    needed(command[0])
    done = subprocess.run(
        [shutil.which(command[0]), *map(str, command[1:])], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_the_rules_can_be_read_and_do_what_their_tests_say():
    run("promtool", "check", "rules", ALERTS)
    run("promtool", "test", "rules", PROMETHEUS / "alerts_test.yml")


def test_what_prometheus_is_to_read_can_be_read():
    run("promtool", "check", "config", "--syntax-only", PROMETHEUS / "prometheus.yml")


def test_every_alert_has_a_test_in_which_it_fires_and_one_in_which_it_does_not():
    tests = yaml.safe_load((PROMETHEUS / "alerts_test.yml").read_text())["tests"]
    stated = [case for test in tests for case in test["alert_rule_test"]]

    fires = {case["alertname"] for case in stated if case.get("exp_alerts")}
    silent = {case["alertname"] for case in stated if not case.get("exp_alerts")}
    assert fires == silent == {rule["alert"] for rule in rules()}


def test_every_alert_leads_to_a_runbook_and_every_runbook_is_of_an_alert():
    _, _, part = PAGE.read_text().partition("## Alerts")
    runbooks = {f"docs/monitoring.md#{title.lower()}" for title in ANCHOR.findall(part)}

    assert {rule["annotations"]["runbook_url"] for rule in rules()} == runbooks
    for rule in rules():
        name = rule["alert"]
        assert rule["annotations"]["runbook_url"].endswith(f"#{name.lower()}")
        text = part.partition(f"### {name}\n")[2].partition("### ")[0]
        assert {"Means:", "Look at:", "Do:"} <= set(re.findall(r"^\*\*(\w.*?)\*\*", text, re.M))
        assert rule["labels"]["severity"] in ("critical", "warning")


def test_panels_have_what_a_reader_needs_and_do_not_lie_on_each_other():
    board = json.loads(BOARD.read_text())
    ids = [panel["id"] for panel in board["panels"]]
    assert len(set(ids)) == len(ids)
    assert board["schemaVersion"] >= 39
    assert not board["editable"]
    taken = set()
    for panel in board["panels"]:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert max(x for x, _ in cells) < 24
        assert not cells & taken
        taken |= cells
    assert {x for x, _ in taken} == set(range(24))


def test_every_panel_says_what_it_shows_and_in_which_unit():
    for panel in panels():
        assert panel["title"]
        assert panel["description"].endswith((".", "do about each."))
        assert panel["type"] in ("timeseries", "stat", "table")
        assert panel["fieldConfig"]["defaults"]["unit"]
        assert panel["targets"]
        for target in panel["targets"]:
            assert target["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
            assert target["expr"]
    titles = [panel["title"] for panel in panels()]
    assert len(set(titles)) == len(titles)


def test_grafana_takes_board_and_data_source_as_they_are():
    (source,) = yaml.safe_load(
        (DEPLOY / "grafana/provisioning/datasources/prometheus.yaml").read_text()
    )["datasources"]
    (provider,) = yaml.safe_load(
        (DEPLOY / "grafana/provisioning/dashboards/dashboards.yaml").read_text()
    )["providers"]

    assert (source["type"], source["editable"]) == ("prometheus", False)
    assert not provider["allowUiUpdates"]


def test_every_metric_of_ours_is_explained_and_no_other(everything):
    explained = set(re.findall(r"`(deepfeatures_\w+)", PAGE.read_text()))

    assert explained == everything


def test_rules_and_board_ask_for_metrics_that_there_are(everything):
    named = {
        name
        for expression in [
            *(rule["expr"] for rule in rules()),
            *(target["expr"] for panel in panels() for target in panel["targets"]),
        ]
        for name in metrics_named(expression)
        if name.startswith("deepfeatures_")
    }

    assert {re.sub(r"_(bucket|sum|count)$", "", name) for name in named} <= everything


def test_the_engine_tells_nothing_before_it_has_started():
    families = {family.name: family for family in engine_metrics(EngineState()).collect()}

    (ready,) = families["deepfeatures_engine_ready"].samples
    (age,) = families["deepfeatures_engine_canary_age_seconds"].samples
    assert ready.value == 0
    assert math.isnan(age.value)


def test_haproxy_reads_its_configuration_without_a_warning(tmp_path):
    needed("haproxy", "openssl")
    make_certificates(tmp_path, "ada")
    environment = {
        "PATH": "/usr/sbin:/usr/bin",
        "GRPC_ADDRESS": "127.0.0.1:8443",
        "GRPC_CERTIFICATE": "server.crt",
        "GRPC_CLIENT_CA": "ca.pem",
        "GRPC_CLIENT_CRL": "crl.pem",
        "GRPC_CLIENTS": "clients.txt",
        "GRPC_METRICS_ADDRESS": "127.0.0.1:8405",
    }
    done = subprocess.run(
        [
            "/usr/sbin/haproxy",
            "-c",
            "-dW",
            "-f",
            CONFIGURATION,
            "-f",
            CONFIGURATION.with_name("engines.cfg"),
        ],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
