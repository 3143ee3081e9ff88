"""Prometheus for real: it reads the running service, and every query that we ship is answered."""

import json
import math
import re
import secrets
import subprocess
from contextlib import contextmanager

import httpx
import pytest
import yaml
from cryptography.fernet import Fernet
from engine_service import Service
from gateway_server import listening, wait_until
from login_world import local_settings
from monitoring_files import ALERTS, BOARD, METRIC, PROMETHEUS, panels, rules
from phantoms import slices, thorax, zip_of
from remote_proxy import documented_client, make_certificates, needed, proxy_before

from gateway.app import application
from tools.engine.ports import free_ports

VARIABLES = {"$__rate_interval": "30s", "$__range": "1m"}
"""What Grafana puts into queries."""

SELECTOR = re.compile(rf"(?:{METRIC.pattern})(?:\{{[^}}]*\}})?")
"""A metric with its labels, as it is asked for in an expression."""

GPU = "nv_gpu_"
"""Metrics that there are with a GPU alone; of queries for them the syntax is tried."""


SEEN = (
    "min(sum_over_time(up[1m])) >= 3",
    'sum(rate(deepfeatures_gateway_requests_total{outcome="input_refused"}[30s])) > 0',
    'sum(rate(nv_inference_request_success{model="ct3dcnn"}[30s])) > 0',
)
"""What is so once Prometheus has seen all of the service, and the traffic."""


class Prometheus:
    """A running Prometheus."""

    def __init__(self, url):
        self.url = url

    def query(self, expression):
        """What it answers: labels and value of each series."""
        answer = httpx.get(
            f"{self.url}/api/v1/query", params={"query": expression}, timeout=30
        ).json()
        assert answer["status"] == "success", answer
        result = answer["data"]["result"]
        return [(each["metric"], float(each["value"][1])) for each in result]

    def sees(self, jobs):
        """Say whether all jobs have been read."""
        return {each["job"] for each, value in self.query("up") if value} == jobs


def answers(url):
    try:
        return httpx.get(url).is_success
    except httpx.TransportError:
        return False


@contextmanager
def prometheus_reading(targets, token, folder):
    """Run Prometheus with our configuration, but for addresses and its pace."""
    stated = yaml.safe_load((PROMETHEUS / "prometheus.yml").read_text())
    stated["global"] = {
        "scrape_interval": "1s",
        "scrape_timeout": "1s",
        "evaluation_interval": "1s",
    }
    stated["rule_files"] = [str(ALERTS)]
    for job in stated["scrape_configs"]:
        del job["dns_sd_configs"]
        job["static_configs"] = [{"targets": [targets[job["job_name"]]]}]
        if "authorization" in job:
            (folder / "token").write_text(token)
            job["authorization"]["credentials_file"] = str(folder / "token")
    (folder / "prometheus.yml").write_text(yaml.safe_dump(stated))
    (port,) = free_ports(1)
    command = [
        "/usr/bin/prometheus",
        f"--config.file={folder}/prometheus.yml",
        f"--storage.tsdb.path={folder}/data",
        f"--web.listen-address=127.0.0.1:{port}",
    ]
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(command, stderr=log)
    try:
        prometheus = Prometheus(f"http://127.0.0.1:{port}")
        wait_until(lambda: answers(f"{prometheus.url}/-/ready"))
        wait_until(lambda: prometheus.sees(set(targets)))
        yield prometheus
    finally:
        process.terminate()
        process.wait()


@contextmanager
def engine(folder):
    service = Service(folder)
    try:
        wait_until(lambda: service.page("/readyz")[0] == 200, 120)
        yield service
    finally:
        service.process.terminate()
        service.process.wait()


@contextmanager
def gateway(service, folder):
    """A gateway with its login and with jobs; its URL, its token, and that for metrics."""
    (port,) = free_ports(1)
    settings = local_settings(
        GATEWAY_PORT=str(port),
        GATEWAY_TRITON_URLS=service.url,
        GATEWAY_METRICS_TOKEN=secrets.token_urlsafe(),
        GATEWAY_JOBS_DATABASE=f"sqlite:///{folder}/jobs.db",
        GATEWAY_JOBS_KEY=Fernet.generate_key().decode(),
    )
    with listening(application(settings), port):
        url = f"http://127.0.0.1:{port}"
        wait_until(lambda: httpx.get(f"{url}/readyz").is_success)
        yield url, settings


def traffic(url, settings, proxy):
    """A study that is answered, one that is not, a job, somebody unknown, and one by gRPC."""
    study = zip_of(*slices(thorax()))
    known = {"Authorization": f"Bearer {settings.token}"}
    with httpx.Client(base_url=url, headers=known, timeout=120) as client:
        statuses = [
            client.post(
                "/api/models/ct3dcnn/features",
                content=content,
                headers={"Content-Type": "application/zip"},
            ).status_code
            for content in (study, b"no zip")
        ]
        job = {"source": {"kind": "uploads"}, "studies": [{"key": "one"}], "model": "ct3dcnn"}
        statuses.append(client.post("/api/jobs", json=job).status_code)
    statuses.append(httpx.get(f"{url}/api/models").status_code)
    assert statuses == [200, 422, 202, 401]
    client = documented_client().client_of(f"localhost:{proxy.port}", **proxy.files("ada"))
    with client:
        documented_client().extract(client, study)


@pytest.fixture(scope="module")
def watched(tmp_path_factory):
    """A Prometheus that has read a whole service before and after some traffic."""
    needed("prometheus", "haproxy", "openssl")
    folders = [tmp_path_factory.mktemp(name) for name in ("engine", "jobs", "proxy", "prometheus")]
    make_certificates(folders[2], "ada")
    with (
        engine(folders[0]) as service,
        gateway(service, folders[1]) as (url, settings),
        proxy_before([(service.grpc, service.state_port)], folders[2]) as proxy,
    ):
        targets = {
            "gateway": url.removeprefix("http://"),
            "engine": f"127.0.0.1:{service.state_port}",
            "triton": f"127.0.0.1:{service.metrics}",
            "grpc": f"127.0.0.1:{proxy.metrics_port}",
        }
        token = str(settings.metrics_token)
        with prometheus_reading(targets, token, folders[3]) as prometheus:
            traffic(url, settings, proxy)
            for expression in SEEN:
                wait_until(lambda each=expression: prometheus.query(each))
            yield prometheus


def queries():
    """All that the board asks, by the title of what asks."""
    board = json.loads(BOARD.read_text())
    asked = [(panel["title"], target["expr"]) for panel in panels() for target in panel["targets"]]
    return [*asked, *((each["name"], each["expr"]) for each in board["annotations"]["list"])]


def filled_in(expression):
    for name, value in VARIABLES.items():
        expression = expression.replace(name, value)
    assert "$" not in expression
    return expression


def quiet(expression):
    """An expression without its last comparison, by which it is empty while nothing is wrong."""
    return re.sub(r"\) > 0$", ")", expression) if expression.startswith("changes") else expression


@pytest.mark.parametrize(("title", "expression"), queries())
def test_every_query_of_the_board_is_answered(watched, title, expression):
    found = watched.query(filled_in(quiet(expression)))

    if GPU in expression:
        assert not found, "there is a GPU here: let these queries be tried, too"
    else:
        assert found, title
        assert not all(math.isnan(value) for _, value in found), f"{title}: no number"


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule["alert"])
def test_every_alert_asks_for_what_there_is(watched, rule):
    watched.query(rule["expr"])
    for selector in SELECTOR.findall(rule["expr"]):
        if GPU not in selector and not selector.startswith("up{job="):
            assert watched.query(selector), selector


def test_no_alert_but_what_is_only_pending_comes_of_a_good_service(watched):
    firing = watched.query('ALERTS{alertstate="firing"}')

    assert not firing


def test_uploads_are_counted_by_how_they_ended(watched):
    counts = {
        (series["status"], series.get("code", ""), series["outcome"]): value
        for series, value in watched.query(
            'deepfeatures_gateway_requests_total{route="/api/models/{model}/features"} > 0'
        )
    }

    assert counts == {("200", "", "answered"): 1, ("422", "not_a_zip", "input_refused"): 1}


def test_stages_are_those_of_the_report_and_of_the_way_through_the_gateway(watched):
    seen = {
        series["stage"]: value
        for series, value in watched.query("deepfeatures_gateway_stage_seconds_count")
    }

    assert seen == {
        "receive": 2,
        "wait": 2,
        "engine": 2,
        "headers": 1,
        "regions": 1,
        "volumes": 1,
        "previews": 1,
    }


def test_labels_are_of_lists_in_the_code_and_name_nobody(watched):
    series = [labels for labels, _ in watched.query('{__name__=~"deepfeatures_.*"}')]
    names = {name for labels in series for name in labels}

    assert names <= {
        "__name__",
        "job",
        "instance",
        "le",
        "route",
        "method",
        "status",
        "code",
        "outcome",
        "stage",
        "answer",
        "state",
        "model",
        "of",
        "software",
    }
    assert len(series) < 600


def test_only_prometheus_s_token_opens_the_metrics_and_opens_nothing_else(watched):
    (target,) = [labels["instance"] for labels, _ in watched.query('up{job="gateway"}')]

    assert httpx.get(f"http://{target}/metrics").status_code == 401
    wrong = {"Authorization": "Bearer wrong"}
    assert httpx.get(f"http://{target}/metrics", headers=wrong).status_code == 401
