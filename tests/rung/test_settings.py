"""Settings come from the environment, complete or with everything that is missing."""

import base64
import os
import re
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from rung.settings import SANDBOX_ACCOUNT, Settings, SettingsError
from workflows.codec import CodecKey

ROOT = Path(__file__).parents[2]
REAL = {
    "TWILIO_ACCOUNT_SID": "AC" + "1" * 32,
    "TWILIO_AUTH_TOKEN": "the-auth-token",
    "RUNG_PUBLIC_URL": "https://rung.example.org/",
    "RUNG_STREAM_URL": "wss://rung.example.org/stream",
    "RUNG_TWILIO_APPLICATION_SID": "AP" + "1" * 32,
}
Load = Callable[..., Settings]


@pytest.fixture
def load(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Load:
    """Loads settings from an environment that holds nothing but what is given, in an empty folder."""
    for name in list(os.environ):
        if name.startswith(("RUNG_", "TWILIO_", "TEMPORAL_")):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)

    def loaded(**environment: str) -> Settings:
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        return Settings.load()

    return loaded


def test_an_empty_environment_is_enough_on_one_machine(load: Load) -> None:
    settings = load()

    assert settings.sandboxed
    assert not settings.dials_real_phones
    assert settings.public_url == "http://127.0.0.1:8000"
    assert settings.stream_url == "ws://127.0.0.1:8002"
    assert settings.twilio_base_url == "http://127.0.0.1:8001"
    assert settings.page_fallback_url == "http://127.0.0.1:8001/_sandbox/static/one-moment.xml"
    assert settings.twilio_account_sid == SANDBOX_ACCOUNT
    assert settings.missing() == []
    assert settings.warnings() == []


def test_secrets_are_drawn_once_for_the_owner_alone(load: Load) -> None:
    first, second = load(), load()

    assert first.codec_keys == second.codec_keys
    assert first.link_secret == second.link_secret
    assert first.twilio_auth_token == second.twilio_auth_token
    assert len(first.link_secret.get_secret_value()) >= 32
    assert stat.S_IMODE(first.secrets_file.stat().st_mode) == 0o600
    assert stat.S_IMODE(first.state_dir.stat().st_mode) == 0o700
    assert [file.name for file in first.state_dir.iterdir()] == ["secrets.json"]


def test_processes_that_start_at_once_draw_the_same_secrets(tmp_path: Path) -> None:
    script = "from rung.settings import Settings; print(Settings.apart(state_dir='s').codec_keys[0])"
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    argv = [sys.executable, "-c", script]
    drawing = [
        subprocess.Popen(argv, cwd=tmp_path, env=env, stdout=subprocess.PIPE, text=True)  # noqa: S603  # ours
        for _ in range(4)
    ]

    assert len({process.communicate()[0] for process in drawing}) == 1


def test_damaged_secrets_are_told_and_not_replaced(load: Load) -> None:
    file = load().secrets_file
    file.write_text("{")

    with pytest.raises(SettingsError, match=r"secrets\.json is damaged\. Restore it from a backup"):
        load()
    assert file.read_text() == "{"


def test_everything_that_is_missing_is_told_at_once_by_name(load: Load) -> None:
    with pytest.raises(SettingsError) as told:
        load(TWILIO_ACCOUNT_SID="AC" + "1" * 32, TWILIO_API_KEY="SK1")

    assert str(told.value) == (
        "missing settings: TWILIO_AUTH_TOKEN, TWILIO_API_SECRET, RUNG_PUBLIC_URL, RUNG_STREAM_URL,"
        " RUNG_TWILIO_APPLICATION_SID\n(see docs/configuration.md)"
    )


def test_everything_that_is_wrong_is_told_at_once_by_name_and_without_its_value(load: Load) -> None:
    secret = base64.b64encode(b"too short").decode()
    with pytest.raises(SettingsError) as told:
        load(
            RUNG_API_PORT="eighty",
            RUNG_CODEC_KEYS=f"k1:{secret}",
            TWILIO_BASE_URL="user:password@nowhere",
            RUNG_LOG_LEVEL="loud",
        )

    said = str(told.value)
    for name in ("RUNG_API_PORT", "RUNG_CODEC_KEYS", "TWILIO_BASE_URL", "RUNG_LOG_LEVEL"):
        assert f"  {name}: " in said
    assert secret not in said
    assert "password" not in said
    assert "codec key 'k1' has 9 bytes, AES-256 needs 32" in said


def test_a_command_may_do_without_what_it_is_there_to_make(
    load: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    load()
    for name, value in REAL.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("RUNG_TWILIO_APPLICATION_SID")

    assert Settings.load(without={"RUNG_TWILIO_APPLICATION_SID"}).twilio_application_sid == ""
    with pytest.raises(SettingsError, match="RUNG_TWILIO_APPLICATION_SID"):
        Settings.load()


def test_a_named_account_dials_real_phones(load: Load) -> None:
    settings = load(**REAL)

    assert settings.dials_real_phones
    assert not settings.sandboxed
    assert settings.twilio_base_url is None
    assert settings.public_url == "https://rung.example.org"


def test_twilio_streams_need_tls(load: Load) -> None:
    with pytest.raises(SettingsError, match="RUNG_STREAM_URL must begin with wss://"):
        load(**{**REAL, "RUNG_STREAM_URL": "ws://rung.example.org"})


def test_secrets_drawn_beside_a_real_installation_must_be_shared(load: Load) -> None:
    away = {"RUNG_PAGE_FALLBACK_URL": "https://handler.twilio.com/twiml/EH1"}
    [warning] = load(**REAL, **away).warnings()
    assert warning.startswith(
        "RUNG_LINK_SECRET and RUNG_CODEC_KEYS drawn into .rung/secrets.json: every process"
    )

    key = str(CodecKey.generate())
    assert load(RUNG_LINK_SECRET="given-and-long-enough", RUNG_CODEC_KEYS=key).warnings() == []


def test_real_page_calls_without_another_host_are_warned_of(load: Load) -> None:
    assert any("RUNG_PAGE_FALLBACK_URL is not set" in warning for warning in load(**REAL).warnings())


def test_secrets_drawn_beside_a_cluster_must_be_shared_too(load: Load) -> None:
    assert "must share them" in load(TEMPORAL_ADDRESS="temporal:7233").warnings()[0]


@pytest.mark.parametrize("name", ["TWILIO_REGION", "TWILIO_EDGE"])
def test_a_region_beside_a_sandbox_is_warned_of(load: Load, name: str) -> None:
    [warning] = load(**{name: "dublin"}).warnings()
    assert warning.startswith(f"{name} is set beside a loopback TWILIO_BASE_URL")


def test_a_misspelt_setting_is_warned_of(load: Load) -> None:
    assert "RUNG_PUBLICURL is set, but there is no such setting" in load(RUNG_PUBLICURL="x").warnings()[0]


def test_several_codec_keys_are_read_in_order(load: Load) -> None:
    new, old = CodecKey.generate(), CodecKey.generate()

    assert load(RUNG_CODEC_KEYS=f"{new}, {old}").codec_keys == (new, old)


@pytest.mark.parametrize(
    ("name", "cluster"),
    [
        ("TEMPORAL_ADDRESS", True),
        ("TEMPORAL_PROFILE", True),
        ("TEMPORAL_TLS_SERVER_NAME", True),
        ("TEMPORAL_DEBUG", False),
    ],
)
def test_a_connection_setting_of_temporal_means_the_operators_cluster(
    load: Load, name: str, cluster: bool
) -> None:
    assert bool(load(**{name: "x"}).temporal) is cluster


def test_no_secret_is_shown(load: Load) -> None:
    settings = load(**REAL, TEMPORAL_API_KEY="cloud-key", RUNG_LINK_SECRET="the-link-secret-itself")

    shown = repr(settings) + str(settings)
    for secret in (
        "the-auth-token",
        "cloud-key",
        "the-link-secret-itself",
        str(settings.codec_keys[0]).split(":")[1],
    ):
        assert secret not in shown


def test_settings_cannot_be_changed(load: Load) -> None:
    with pytest.raises(ValueError, match="frozen"):
        load().api_port = 1  # type: ignore[misc]  # what must fail


def test_an_installation_apart_ignores_the_environment(load: Load, tmp_path: Path) -> None:
    load(**REAL, TEMPORAL_ADDRESS="cluster:7233")

    settings = Settings.apart(state_dir=tmp_path / "demo", api_port=4000)

    assert settings.sandboxed
    assert settings.temporal == {}
    assert settings.public_url == "http://127.0.0.1:4000"


def test_a_child_process_gets_these_very_settings(load: Load, tmp_path: Path) -> None:
    load(**REAL, TEMPORAL_ADDRESS="cluster:7233", RUNG_LOG_LEVEL="debug")
    apart = Settings.apart(state_dir=tmp_path / "demo", api_port=4000)

    script = "from rung.settings import Settings; s = Settings.load(); print(s.model_dump(), s.temporal)"
    env = apart.environment() | {"PYTHONPATH": str(ROOT)}
    argv = [sys.executable, "-c", script]
    child = subprocess.run(argv, env=env, capture_output=True, text=True, check=True)  # noqa: S603  # our own script

    assert child.stdout.strip() == f"{apart.model_dump()} {{}}"


def test_programs_that_are_not_ours_get_none_of_our_secrets(load: Load) -> None:
    settings = load(**REAL, TEMPORAL_API_KEY="cloud-key")

    assert not [
        name for name in settings.surroundings() if name.startswith(("RUNG_", "TWILIO_", "TEMPORAL_A"))
    ]
    assert "PATH" in settings.surroundings()


@pytest.mark.parametrize("name", Settings.names())
def test_every_setting_has_a_line_in_the_documentation(name: str) -> None:
    documented = re.findall(
        r"^\| `([A-Z_]+)` \|", (ROOT / "docs" / "configuration.md").read_text(), re.MULTILINE
    )
    assert name in documented


def test_the_documentation_knows_no_other_settings() -> None:
    documented = set(re.findall(r"`(RUNG_[A-Z_]+)`", (ROOT / "docs" / "configuration.md").read_text()))
    assert documented <= set(Settings.names())


def test_nothing_else_reads_the_environment() -> None:
    packages = ("activities", "api", "bridge", "configuration", "rung", "workflows")
    readers = [
        file.relative_to(ROOT).as_posix()
        for package in packages
        for file in (ROOT / package).rglob("*.py")
        if re.search(r"os\.(environ|getenv)|import environ|import getenv", file.read_text())
    ]
    assert readers == ["rung/settings.py"]


def test_a_link_secret_that_could_be_guessed_is_refused(load: Load) -> None:
    with pytest.raises(SettingsError, match="RUNG_LINK_SECRET must have at least 16 characters"):
        load(RUNG_LINK_SECRET="x")
