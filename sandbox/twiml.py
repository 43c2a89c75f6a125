"""TwiML read into typed verbs. No network, no clock: text in, a document out.

What is not known is skipped with a warning (Twilio's 12200), as Twilio does; what cannot be
read at all raises `TwimlError`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, TypeVar
from xml.etree import ElementTree

LONGEST_DOCUMENT = 65_536  # characters
LONGEST_SAY = 4_096

Method = Literal["GET", "POST"]
JitterBuffer = Literal["off", "small", "medium", "large"]
T = TypeVar("T")


class TwimlError(Exception):
    """A document that cannot be executed, with Twilio's code for why."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True)
class Say:
    text: str
    loop: int = 1
    language: str = "en-US"
    voice: str = ""


@dataclass(frozen=True)
class Play:
    url: str = ""
    loop: int = 1
    digits: str = ""


@dataclass(frozen=True)
class Pause:
    seconds: int = 1


Prompt = Say | Play | Pause


@dataclass(frozen=True)
class Gather:
    prompts: tuple[Prompt, ...] = ()
    action: str | None = None
    method: Method = "POST"
    timeout_s: int = 5
    num_digits: int | None = None
    finish_on_key: str = "#"
    action_on_empty: bool = False
    input: frozenset[str] = frozenset({"dtmf"})
    language: str = "en-US"
    speech_timeout_s: float | Literal["auto"] | None = None  # None: the time-out
    max_speech_s: int = 60
    barge_in: bool = True


@dataclass(frozen=True)
class StatusCallback:
    """Where a noun's events go; no URL, no events."""

    url: str = ""
    method: Method = "POST"
    events: frozenset[str] = frozenset()


NO_CALLBACK = StatusCallback()


@dataclass(frozen=True)
class Conference:
    name: str
    label: str | None = None
    muted: bool = False
    beep: str = "true"
    start_on_enter: bool = True
    end_on_exit: bool = False
    wait_url: str | None = None
    wait_method: Method = "POST"
    max_participants: int = 250
    coach: str | None = None
    jitter_buffer: JitterBuffer = "large"
    callback: StatusCallback = NO_CALLBACK


@dataclass(frozen=True)
class Number:
    number: str
    url: str | None = None
    method: Method = "POST"
    send_digits: str = ""
    callback: StatusCallback = NO_CALLBACK


@dataclass(frozen=True)
class Dial:
    target: Conference | tuple[Number, ...]
    action: str | None = None
    method: Method = "POST"
    timeout_s: int = 30
    time_limit_s: int = 14_400
    hangup_on_star: bool = False
    caller_id: str | None = None


@dataclass(frozen=True)
class Stream:
    url: str
    name: str = ""
    track: str = "inbound_track"
    parameters: tuple[tuple[str, str], ...] = ()
    callback: StatusCallback = NO_CALLBACK


@dataclass(frozen=True)
class Connect:
    stream: Stream
    action: str | None = None
    method: Method = "POST"


@dataclass(frozen=True)
class StartStream:
    stream: Stream


@dataclass(frozen=True)
class StopStream:
    name: str


@dataclass(frozen=True)
class Redirect:
    url: str
    method: Method = "POST"


@dataclass(frozen=True)
class Hangup:
    pass


@dataclass(frozen=True)
class Reject:
    reason: Literal["rejected", "busy"] = "rejected"


@dataclass(frozen=True)
class Record:
    action: str | None = None
    method: Method = "POST"
    max_length_s: int = 3_600
    timeout_s: int = 5
    finish_on_key: str = "1234567890*#"
    play_beep: bool = True
    callback: StatusCallback = NO_CALLBACK


@dataclass(frozen=True)
class Message:
    text: str
    to: str | None = None
    from_: str | None = None
    callback: StatusCallback = NO_CALLBACK


Verb = (
    Say
    | Play
    | Pause
    | Gather
    | Dial
    | Connect
    | StartStream
    | StopStream
    | Redirect
    | Hangup
    | Reject
    | Record
    | Message
)


@dataclass(frozen=True)
class Document:
    verbs: tuple[Verb, ...]
    warnings: tuple[str, ...] = ()


def parse(text: str) -> Document:
    """Read a document. Raises TwimlError 12100 (no XML) or 12102 (no Response)."""
    if len(text) > LONGEST_DOCUMENT:
        raise TwimlError(11750, f"the document is longer than {LONGEST_DOCUMENT} characters")
    try:
        root = ElementTree.fromstring(text.strip())  # noqa: S314  # written by the product under test
    except ElementTree.ParseError as error:
        raise TwimlError(12100, f"document parse failure: {error}") from error
    if root.tag != "Response":
        raise TwimlError(12100, f"the root element is <{root.tag}>, not <Response>")
    reader = _Reader()
    verbs = [verb for element in root if (verb := reader.verb(element)) is not None]
    return Document(tuple(verbs), tuple(reader.warnings))


class _Attributes:
    """One element's attributes; asks for each by name and reports what nobody asked for."""

    def __init__(self, element: ElementTree.Element, warnings: list[str]) -> None:
        self._element = element
        self._left = dict(element.attrib)
        self._warnings = warnings

    def text(self, name: str) -> str | None:
        return self._left.pop(name, None)

    def method(self, name: str = "method") -> Method:
        value = (self.text(name) or "POST").upper()
        if value not in {"GET", "POST"}:
            self._warn(name, value)
        return "GET" if value == "GET" else "POST"

    def boolean(self, name: str, *, default: bool) -> bool:
        value = self.text(name)
        if value is not None and value.lower() not in {"true", "false"}:
            self._warn(name, value)
            return default
        return default if value is None else value.lower() == "true"

    def whole(self, name: str, default: int, low: int = 0, high: int = 86_400) -> int:
        value = self.text(name)
        if value is None or value == "auto":
            return default
        if not value.isdecimal() or not low <= int(value) <= high:
            self._warn(name, value)
            return default
        return int(value)

    def callback(self, prefix: str, default_events: str) -> StatusCallback:
        url = self.text(prefix) or ""
        method = self.method(f"{prefix}Method")
        events = self.text(f"{prefix}Event")
        if not url:
            return NO_CALLBACK
        named = default_events if events is None else events
        return StatusCallback(url, method, frozenset(named.replace(",", " ").split()))

    def ignore(self, *names: str) -> None:
        for name in names:
            self._left.pop(name, None)

    def done(self) -> None:
        for name, value in self._left.items():
            self._warn(name, value)

    def _warn(self, name: str, value: str) -> None:
        self._warnings.append(f'<{self._element.tag}> has an attribute {name}="{value}"')


class _Reader:
    """Elements to verbs, collecting warnings on the way."""

    def __init__(self) -> None:
        self.warnings: list[str] = []
        self._verbs: Mapping[str, Callable[[ElementTree.Element], Verb | None]] = {
            "Say": self.say,
            "Play": self.play,
            "Pause": self.pause,
            "Gather": self.gather,
            "Dial": self.dial,
            "Connect": self.connect,
            "Start": self.start,
            "Stop": self.stop,
            "Redirect": self.redirect,
            "Hangup": self.hangup,
            "Reject": self.reject,
            "Record": self.record,
            "Message": self.message,
        }

    def verb(self, element: ElementTree.Element) -> Verb | None:
        read = self._verbs.get(element.tag)
        if read is None:
            self.warnings.append(f"<{element.tag}> is no verb")
            return None
        return read(element)

    def _attributes(self, element: ElementTree.Element) -> _Attributes:
        return _Attributes(element, self.warnings)

    def _say_text(self, element: ElementTree.Element) -> str:
        text = " ".join("".join(element.itertext()).split())
        if len(text) > LONGEST_SAY:
            self.warnings.append(f"<Say> is longer than {LONGEST_SAY} characters")
        return text[:LONGEST_SAY]

    def say(self, element: ElementTree.Element) -> Say:
        attributes = self._attributes(element)
        verb = Say(
            text=self._say_text(element),
            loop=attributes.whole("loop", 1),
            language=attributes.text("language") or "en-US",
            voice=attributes.text("voice") or "",
        )
        attributes.done()
        return verb

    def play(self, element: ElementTree.Element) -> Play:
        attributes = self._attributes(element)
        verb = Play(_text(element), attributes.whole("loop", 1), attributes.text("digits") or "")
        attributes.done()
        return verb

    def pause(self, element: ElementTree.Element) -> Pause:
        attributes = self._attributes(element)
        verb = Pause(attributes.whole("length", 1))
        attributes.done()
        return verb

    def gather(self, element: ElementTree.Element) -> Gather:
        attributes = self._attributes(element)
        attributes.ignore(
            "hints", "speechModel", "enhanced", "profanityFilter", "partialResultCallback",
        )  # fmt: skip
        finish = attributes.text("finishOnKey")
        digits = attributes.whole("numDigits", 0)
        verb = Gather(
            prompts=tuple(self._prompts(element)),
            action=attributes.text("action"),
            method=attributes.method(),
            timeout_s=attributes.whole("timeout", 5),
            num_digits=digits or None,
            finish_on_key="#" if finish is None else finish,
            action_on_empty=attributes.boolean("actionOnEmptyResult", default=False),
            input=frozenset((attributes.text("input") or "dtmf").split()) & {"dtmf", "speech"},
            language=attributes.text("language") or "en-US",
            speech_timeout_s=_speech_timeout(attributes.text("speechTimeout")),
            max_speech_s=attributes.whole("maxSpeechTime", 60, 1),
            barge_in=attributes.boolean("bargeIn", default=True),
        )
        attributes.done()
        return verb

    def _prompts(self, element: ElementTree.Element) -> list[Prompt]:
        prompts: list[Prompt] = []
        for child in element:
            match child.tag:
                case "Say":
                    prompts.append(self.say(child))
                case "Play":
                    prompts.append(self.play(child))
                case "Pause":
                    prompts.append(self.pause(child))
                case _:
                    self.warnings.append(f"<{child.tag}> cannot stand in <{element.tag}>")
        return prompts

    def dial(self, element: ElementTree.Element) -> Dial | None:
        target = self._dial_target(element)
        if target is None:
            self.warnings.append("<Dial> has nobody to dial")
            return None
        attributes = self._attributes(element)
        attributes.ignore(
            "answerOnBridge", "record", "recordingStatusCallback", "recordingStatusCallbackMethod",
            "recordingStatusCallbackEvent", "recordingTrack", "trim", "ringTone", "sequential",
            "referUrl", "referMethod",
        )  # fmt: skip
        verb = Dial(
            target=target,
            action=attributes.text("action"),
            method=attributes.method(),
            timeout_s=attributes.whole("timeout", 30),
            time_limit_s=attributes.whole("timeLimit", 14_400),
            hangup_on_star=attributes.boolean("hangupOnStar", default=False),
            caller_id=attributes.text("callerId"),
        )
        attributes.done()
        return verb

    def _dial_target(self, element: ElementTree.Element) -> Conference | tuple[Number, ...] | None:
        numbers: list[Number] = []
        for child in element:
            match child.tag:
                case "Conference":
                    return self.conference(child)
                case "Number":
                    numbers.append(self.number(child))
                case _:
                    self.warnings.append(f"<{child.tag}> cannot be dialled here")
        if not numbers and (plain := (element.text or "").strip()):
            numbers.append(Number(plain))
        return tuple(numbers) or None

    def conference(self, element: ElementTree.Element) -> Conference:
        attributes = self._attributes(element)
        attributes.ignore(
            "region", "trim", "record", "recordingStatusCallback",
            "recordingStatusCallbackMethod", "recordingStatusCallbackEvent", "eventCallbackUrl",
        )  # fmt: skip
        noun = Conference(
            name=_text(element),
            label=attributes.text("participantLabel"),
            muted=attributes.boolean("muted", default=False),
            beep=attributes.text("beep") or "true",
            start_on_enter=attributes.boolean("startConferenceOnEnter", default=True),
            end_on_exit=attributes.boolean("endConferenceOnExit", default=False),
            wait_url=attributes.text("waitUrl"),
            wait_method=attributes.method("waitMethod"),
            max_participants=attributes.whole("maxParticipants", 250, 2, 250),
            coach=attributes.text("coach") or None,
            jitter_buffer=jitter_buffer(attributes.text("jitterBufferSize")),
            callback=attributes.callback("statusCallback", "start end"),
        )
        attributes.done()
        return noun

    def number(self, element: ElementTree.Element) -> Number:
        attributes = self._attributes(element)
        attributes.ignore("byoc", "machineDetection", "amdStatusCallback")
        noun = Number(
            number=_text(element),
            url=attributes.text("url"),
            method=attributes.method(),
            send_digits=attributes.text("sendDigits") or "",
            callback=attributes.callback("statusCallback", "completed"),
        )
        attributes.done()
        return noun

    def connect(self, element: ElementTree.Element) -> Connect | None:
        stream = self._only_stream(element)
        if stream is None:
            return None
        attributes = self._attributes(element)
        verb = Connect(stream, attributes.text("action"), attributes.method())
        attributes.done()
        return verb

    def start(self, element: ElementTree.Element) -> StartStream | None:
        stream = self._only_stream(element)
        return None if stream is None else StartStream(stream)

    def stop(self, element: ElementTree.Element) -> StopStream | None:
        stream = element.find("Stream")
        return None if stream is None else StopStream(stream.get("name", ""))

    def _only_stream(self, element: ElementTree.Element) -> Stream | None:
        stream: Stream | None = None
        for child in element:
            if child.tag == "Stream" and stream is None:
                stream = self.stream(child)
            else:
                self.warnings.append(f"<{child.tag}> cannot stand in <{element.tag}>")
        if stream is None:
            self.warnings.append(f"<{element.tag}> has no <Stream>")
        return stream

    def stream(self, element: ElementTree.Element) -> Stream:
        attributes = self._attributes(element)
        noun = Stream(
            url=(attributes.text("url") or "").strip(),
            name=attributes.text("name") or "",
            track=attributes.text("track") or "inbound_track",
            parameters=tuple(
                (child.get("name", ""), child.get("value", ""))
                for child in element
                if child.tag == "Parameter"
            ),
            callback=attributes.callback("statusCallback", "stream-started stream-stopped stream-error"),
        )
        attributes.done()
        return noun

    def redirect(self, element: ElementTree.Element) -> Redirect:
        attributes = self._attributes(element)
        verb = Redirect(_text(element), attributes.method())
        attributes.done()
        return verb

    def hangup(self, element: ElementTree.Element) -> Hangup:
        self._attributes(element).done()
        return Hangup()

    def reject(self, element: ElementTree.Element) -> Reject:
        attributes = self._attributes(element)
        reason = attributes.text("reason")
        attributes.done()
        return Reject("busy" if reason == "busy" else "rejected")

    def record(self, element: ElementTree.Element) -> Record:
        attributes = self._attributes(element)
        attributes.ignore("trim", "transcribe", "transcribeCallback", "recordingTrack")
        finish = attributes.text("finishOnKey")
        verb = Record(
            action=attributes.text("action"),
            method=attributes.method(),
            max_length_s=attributes.whole("maxLength", 3_600, 1),
            timeout_s=attributes.whole("timeout", 5),
            finish_on_key="1234567890*#" if finish is None else finish,
            play_beep=attributes.boolean("playBeep", default=True),
            callback=attributes.callback("recordingStatusCallback", "completed"),
        )
        attributes.done()
        return verb

    def message(self, element: ElementTree.Element) -> Message:
        attributes = self._attributes(element)
        attributes.ignore("action", "method")
        body = element.find("Body")
        verb = Message(
            text=_text(element) if body is None else _text(body),
            to=attributes.text("to"),
            from_=attributes.text("from"),
            callback=attributes.callback("statusCallback", ""),
        )
        attributes.done()
        return verb


def _speech_timeout(text: str | None) -> float | Literal["auto"] | None:
    if text == "auto":
        return "auto"
    return float(text) if text is not None and text.isdecimal() else None


def jitter_buffer(text: str | None) -> JitterBuffer:
    """Its size by name; an unknown one is the default."""
    match text:
        case "off" | "small" | "medium":
            return text
        case _:
            return "large"


def _text(element: ElementTree.Element) -> str:
    return (element.text or "").strip()
