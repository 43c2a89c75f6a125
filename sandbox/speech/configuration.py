"""What a session is set to: how `session.update` changes it, and how it is told to the client."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final, Literal, TypeAlias

from sandbox.speech.errors import Refusal
from sandbox.speech.fields import Fields, Json

FORMATS: Final = ("audio/pcm", "audio/pcmu", "audio/pcma")
VOICES: Final = ("alloy", "ash", "ballad", "coral", "echo", "sage", "shimmer", "verse", "marin", "cedar")
TELEPHONE_FORMATS: Final = ("audio/pcmu", "audio/pcma")
MOST_TOOLS: Final = 128
# How long semantic_vad waits for the end of a thought; the real one listens to the words as well.
SEMANTIC_SILENCE_MS: Final[Mapping[str, int]] = {"low": 1_200, "medium": 700, "high": 400, "auto": 700}

Modality: TypeAlias = Literal["audio", "text"]


@dataclass(frozen=True)
class TurnDetection:
    """When a turn begins and ends. eagerness: of semantic_vad, else None."""

    threshold: float = 0.5
    prefix_padding_ms: int = 300
    silence_duration_ms: int = 500
    create_response: bool = True
    interrupt_response: bool = True
    idle_timeout_ms: int | None = None
    eagerness: str | None = None

    def json(self) -> Json:
        answers: Json = {
            "create_response": self.create_response,
            "interrupt_response": self.interrupt_response,
        }
        if self.eagerness is not None:
            return {"type": "semantic_vad", "eagerness": self.eagerness, **answers}
        return {
            "type": "server_vad",
            "threshold": self.threshold,
            "prefix_padding_ms": self.prefix_padding_ms,
            "silence_duration_ms": self.silence_duration_ms,
            "idle_timeout_ms": self.idle_timeout_ms,
            **answers,
        }


@dataclass(frozen=True)
class Tool:
    """A function the client offers. parameters: a JSON schema."""

    name: str
    description: str
    parameters: Json

    def json(self) -> Json:
        described: Json = {"description": self.description} if self.description else {}
        return {"type": "function", "name": self.name, **described, "parameters": self.parameters}


@dataclass(frozen=True)
class Configuration:
    """All of a session's settings. A fresh one is what the API starts with."""

    model: str
    modality: Modality = "audio"
    instructions: str = ""
    input_format: str = "audio/pcm"
    output_format: str = "audio/pcm"
    voice: str = "marin"
    speed: float = 1.0
    transcription: Json | None = None
    noise_reduction: Json | None = None
    turns: TurnDetection | None = TurnDetection()
    tools: tuple[Tool, ...] = ()
    tool_choice: str | Json = "auto"
    max_output_tokens: int | None = None  # None: inf
    truncation: str | Json = "auto"
    tracing: str | Json | None = None
    prompt: Json | None = None
    include: tuple[str, ...] | None = None
    reasoning: Json | None = None

    @property
    def language(self) -> str:
        """What the client expects to be spoken; empty where it does not say."""
        language = (self.transcription or {}).get("language")
        return language if isinstance(language, str) else ""

    def hears_as(self, before: "Configuration") -> bool:
        """Whether turns of speech begin and end as they did; what follows a turn may have changed."""
        mine, theirs = (
            (one.threshold, one.silence_duration_ms) if one is not None else None
            for one in (self.turns, before.turns)
        )
        return mine == theirs

    def json(self) -> Json:
        """All but what belongs to the session itself: its id and expiry."""
        reasoning: Json = {"reasoning": self.reasoning} if self.reasoning is not None else {}
        return {
            "type": "realtime",
            "object": "realtime.session",
            "model": self.model,
            "output_modalities": [self.modality],
            "instructions": self.instructions,
            "audio": {
                "input": {
                    "format": format_json(self.input_format),
                    "transcription": self.transcription,
                    "noise_reduction": self.noise_reduction,
                    "turn_detection": self.turns.json() if self.turns else None,
                },
                "output": {
                    "format": format_json(self.output_format),
                    "voice": self.voice,
                    "speed": self.speed,
                },
            },
            "tools": [tool.json() for tool in self.tools],
            "tool_choice": self.tool_choice,
            "max_output_tokens": tokens_json(self.max_output_tokens),
            "truncation": self.truncation,
            "tracing": self.tracing,
            "prompt": self.prompt,
            "include": list(self.include) if self.include is not None else None,
            **reasoning,
        }


def updated(current: Configuration, session: Fields, voice_fixed: bool) -> Configuration:
    """The configuration after a `session.update`; only the fields that are present change.

    voice_fixed: audio was sent already. Raises Refusal, and then nothing has changed.
    """
    session.only(
        (
            "type", "object", "id", "model", "output_modalities", "instructions", "audio", "tools",
            "tool_choice", "max_output_tokens", "truncation", "tracing", "prompt", "include", "reasoning",
        )
    )  # fmt: skip
    session.one_of("type", ("realtime",))
    changed = current
    if session.has("output_modalities"):
        changed = replace(changed, modality=modality(session))
    if session.has("instructions"):
        changed = replace(changed, instructions=session.text("instructions"))
    if (audio := session.maybe_nested("audio")) is not None:
        audio.only(("input", "output"))
        if (heard := audio.maybe_nested("input")) is not None:
            changed = _input(changed, heard)
        if (spoken := audio.maybe_nested("output")) is not None:
            changed = _output(changed, spoken, voice_fixed)
    if session.has("tools"):
        changed = replace(changed, tools=tools(session))
    if session.has("tool_choice"):
        changed = replace(changed, tool_choice=text_or_object(session, "tool_choice"))
    if session.has("max_output_tokens"):
        changed = replace(changed, max_output_tokens=most_tokens(session))
    if session.has("truncation"):
        changed = replace(changed, truncation=text_or_object(session, "truncation"))
    if session.has("tracing"):
        tracing = None if session.given("tracing") is None else text_or_object(session, "tracing")
        changed = replace(changed, tracing=tracing)
    if session.has("prompt"):
        changed = replace(changed, prompt=_maybe_json(session, "prompt"))
    if session.has("include"):
        included = (
            tuple(str(name) for name in session.members("include")) if session.given("include") else None
        )
        changed = replace(changed, include=included)
    if session.has("reasoning"):
        changed = replace(changed, reasoning=_reasoning(current.model, session))
    return changed


def _input(current: Configuration, heard: Fields) -> Configuration:
    heard.only(("format", "transcription", "noise_reduction", "turn_detection"))
    changed = current
    if heard.has("format"):
        changed = replace(changed, input_format=audio_format(heard.nested("format")))
    if heard.has("transcription"):
        changed = replace(changed, transcription=_maybe_json(heard, "transcription"))
    if heard.has("noise_reduction"):
        reduction = heard.maybe_nested("noise_reduction")
        if reduction is not None:
            reduction.one_of("type", ("near_field", "far_field"))
        changed = replace(changed, noise_reduction=_maybe_json(heard, "noise_reduction"))
    if heard.has("turn_detection"):
        turns = heard.maybe_nested("turn_detection")
        changed = replace(changed, turns=_turn_detection(turns) if turns is not None else None)
    return changed


def _output(current: Configuration, spoken: Fields, voice_fixed: bool) -> Configuration:
    spoken.only(("format", "voice", "speed"))
    changed = current
    if spoken.has("format"):
        changed = replace(changed, output_format=audio_format(spoken.nested("format")))
    if spoken.has("voice"):
        voice = voice_of(spoken)
        if voice_fixed and voice != current.voice:
            message = "Cannot update a conversation's voice if assistant audio is present."
            raise Refusal(message, code="cannot_update_voice", param=spoken.where("voice"))
        changed = replace(changed, voice=voice)
    if spoken.has("speed"):
        changed = replace(changed, speed=spoken.number("speed", None, 0.25, 1.5))
    return changed


def audio_format(described: Fields) -> str:
    """The name of an audio format. A telephone's has no rate; PCM has one, and there is one it may have."""
    kind = described.one_of("type", FORMATS)
    if kind in TELEPHONE_FORMATS:
        described.only(("type",))
    else:
        described.only(("type", "rate"))
        if described.given("rate") is not None:
            described.whole("rate", None, 24_000, 24_000)
    return kind


def format_json(name: str) -> Json:
    return {"type": name} if name in TELEPHONE_FORMATS else {"type": name, "rate": 24_000}


def modality(fields: Fields) -> Modality:
    match fields.members("output_modalities"):
        case ["audio"]:
            return "audio"
        case ["text"]:
            return "text"
        case other:
            message = f"Invalid modalities: {other}. Supported combinations are: ['text'] and ['audio']."
            raise Refusal(message, code="invalid_value", param=fields.where("output_modalities"))


def voice_of(spoken: Fields) -> str:
    """A built-in voice, or a custom one by its id."""
    if isinstance(spoken.given("voice"), dict):
        return spoken.nested("voice").text("id")
    return spoken.one_of("voice", VOICES)


def tools(fields: Fields) -> tuple[Tool, ...]:
    if fields.given("tools") is None:
        return ()
    if len(fields.members("tools")) > MOST_TOOLS:
        message = f"Invalid 'tools': at most {MOST_TOOLS} can be given."
        raise Refusal(message, code="array_above_max_length", param=fields.where("tools"))
    return tuple(_tool(described) for described in fields.objects("tools"))


def _tool(described: Fields) -> Tool:
    if described.text("type", "function") == "mcp":
        message = "This sandbox calls no MCP servers: offer functions."
        raise Refusal(message, code="invalid_value", param=described.where("type"))
    described.one_of("type", ("function",), "function")
    described.only(("type", "name", "description", "parameters"))
    parameters = described.maybe_nested("parameters")
    return Tool(
        described.text("name"),
        described.maybe_text("description") or "",
        dict(parameters.content) if parameters is not None else {"type": "object", "properties": {}},
    )


def most_tokens(fields: Fields) -> int | None:
    if fields.given("max_output_tokens") in (None, "inf"):
        return None
    return fields.whole("max_output_tokens", None, 1, 4_096)


def tokens_json(most: int | None) -> object:
    return "inf" if most is None else most


def text_or_object(fields: Fields, name: str) -> str | Json:
    if isinstance(fields.given(name), dict):
        return dict(fields.nested(name).content)
    return fields.text(name)


def _maybe_json(fields: Fields, name: str) -> Json | None:
    found = fields.maybe_nested(name)
    return None if found is None else dict(found.content)


def _reasoning(model: str, session: Fields) -> Json | None:
    found = session.maybe_nested("reasoning")
    if found is None:
        return None
    if not model.startswith("gpt-realtime-2"):
        message = f"Unsupported parameter: 'session.reasoning' is not supported with the '{model}' model."
        raise Refusal(message, code="unsupported_parameter", param="session.reasoning")
    found.one_of("effort", ("minimal", "low", "medium", "high", "xhigh"), "low")
    return dict(found.content)


def _turn_detection(given: Fields) -> TurnDetection:
    answers = ("create_response", "interrupt_response")
    if given.one_of("type", ("server_vad", "semantic_vad"), "server_vad") == "semantic_vad":
        given.only(("type", "eagerness", *answers))
        eagerness = given.one_of("eagerness", tuple(SEMANTIC_SILENCE_MS), "auto")
        found = TurnDetection(eagerness=eagerness, silence_duration_ms=SEMANTIC_SILENCE_MS[eagerness])
    else:
        given.only(
            ("type", "threshold", "prefix_padding_ms", "silence_duration_ms", "idle_timeout_ms", *answers)
        )
        idle = given.given("idle_timeout_ms")
        found = TurnDetection(
            threshold=given.number("threshold", 0.5, 0.0, 1.0),
            prefix_padding_ms=given.whole("prefix_padding_ms", 300, 0, 10_000),
            silence_duration_ms=given.whole("silence_duration_ms", 500, 0, 10_000),
            idle_timeout_ms=None if idle is None else given.whole("idle_timeout_ms", None, 5_000, 30_000),
        )
    return replace(
        found,
        create_response=given.flag("create_response", True),
        interrupt_response=given.flag("interrupt_response", True),
    )
