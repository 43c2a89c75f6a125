"""One owner's file as values: people, rotations, overrides, ladders, lines.

Each model says what its part of the file may hold and what is assumed where the file is silent.
What needs two parts at once (unknown names, gaps, duplicates) is judged in `check.py`; who is on call at an
instant is worked out in `schedule.py`. Nothing here reads a clock, a file or the network.

People, rotations, ladders, lines and categories are known by the keys the owner chose.
"""

from collections.abc import Mapping
from typing import Annotated, Literal, Self, get_args

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from configuration.values import (
    DAY_S,
    HOUR_S,
    Count,
    Country,
    Day,
    EmergencyNumber,
    EndTime,
    Key,
    Language,
    Moment,
    Name,
    PhoneNumber,
    PhoneNumberOrOff,
    Seconds,
    Switch,
    TimeZone,
    WallTime,
    Words,
    clock,
    mistaken,
    one_or_several,
    spoken,
)

Severity = Literal["life", "urgent", "routine"]
Channel = Literal["voice", "sms", "push"]
Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]

CHANNELS: tuple[Channel, ...] = get_args(Channel)
WEEKDAYS: tuple[Weekday, ...] = get_args(Weekday)

DANGER: Mapping[str, str] = {
    "en": "If anyone is in danger, hang up and dial {emergency_number}.",
    "es": "Si alguien está en peligro, cuelgue y marque el {emergency_number}.",
    "fr": "Si quelqu'un est en danger, raccrochez et composez le {emergency_number}.",
    "de": "Wenn jemand in Gefahr ist, legen Sie auf und wählen Sie {emergency_number}.",
    "it": "Se qualcuno è in pericolo, riagganci e chiami il {emergency_number}.",
    "pt": "Se alguém estiver em perigo, desligue e ligue para {emergency_number}.",
    "nl": "Als iemand in gevaar is, hang dan op en bel {emergency_number}.",
    "pl": "Jeśli ktoś jest w niebezpieczeństwie, proszę się rozłączyć i zadzwonić pod {emergency_number}.",
}

NOTICE: Mapping[str, str] = {
    "en": "You are talking with an automatic assistant, and what is said is written down.",
    "es": "Habla con un asistente automático, y lo que se dice queda por escrito.",
}
GREETING: Mapping[str, str] = {
    "en": "This is {line}. What has happened, and where?",
    "es": "Esto es {line}. ¿Qué ha pasado, y dónde?",
}

# The tools an agent may have besides those that every agent has.
ToolName = Literal[
    "known_incidents",
    "take_message",
    "set_contact",
    "ask_for_keys",
    "hand_over",
    "end_call",
    "brief",
    "note",
    "look_up",
    "set_eta",
    "resolve",
    "assign",
    "call_in",
]

Names = Annotated[tuple[Name, ...], BeforeValidator(one_or_several)]


class Part(BaseModel):
    """Any part of the file: frozen, and without room for keys it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_by_name=True, validate_by_alias=True)


class Person(Part):
    """Somebody who can be paged, told or sent a message."""

    name: Words = Field(examples=["Ana Alvarez"])
    phone: PhoneNumber | None = Field(default=None, examples=["+12025550142"])
    sms: PhoneNumberOrOff = Field(default=None, examples=["+12025550142"])
    push: tuple[Words, ...] = Field(default=(), examples=["[ntfy://rung-ana]"])
    languages: tuple[Language, ...] = Field(default=(), examples=["[en, es]"])
    channels: tuple[Channel, ...] | None = Field(default=None, examples=["[voice, sms, push]"])

    def _uses(self, channel: Channel) -> bool:
        return self.channels is None or channel in self.channels

    @property
    def voice_number(self) -> str | None:
        """The number to ring, or None where they are not to be rung."""
        return self.phone if self._uses("voice") else None

    @property
    def sms_number(self) -> str | None:
        """The number for SMS: their own, else the telephone's, or None."""
        if self.sms is False or not self._uses("sms"):
            return None
        return self.sms or self.phone

    @property
    def push_urls(self) -> tuple[str, ...]:
        """The Apprise URLs to push to, none where push is not wanted."""
        return self.push if self._uses("push") else ()

    @property
    def reached_by(self) -> tuple[Channel, ...]:
        """The channels that lead to this person."""
        ways: dict[Channel, object] = {
            "voice": self.voice_number,
            "sms": self.sms_number,
            "push": self.push_urls,
        }
        return tuple(channel for channel in CHANNELS if ways[channel])


class Window(Part):
    """Hours of certain weekdays. An end not after its beginning lies on the next day."""

    days: tuple[Weekday, ...] = Field(min_length=1, examples=["[saturday, sunday]"])
    from_: WallTime = Field(validation_alias="from", examples=['"18:00"'])
    until: EndTime = Field(examples=['"24:00"'])


class HandOver(Part):
    """When the next person's turn begins, by the clock on the wall."""

    every: Literal["day", "week"] = Field(default="week", examples=["week"])
    weekday: Weekday | None = Field(default=None, examples=["monday"])
    at: WallTime = Field(examples=['"09:00"'])

    @model_validator(mode="after")
    def _week_has_its_day(self) -> Self:
        if self.every == "week" and self.weekday is None:
            raise mistaken("hand_over", "a weekly hand-over needs its weekday", "weekday: monday")
        if self.every == "day" and self.weekday is not None:
            raise mistaken("hand_over", "a daily hand-over has no weekday", "every: week, or no weekday")
        return self


class Layer(Part):
    """People who take turns, at all hours or within some."""

    name: Words | None = Field(default=None, examples=["weekends"])
    people: Names = Field(min_length=1, examples=["[ana, ben]"])
    hand_over: HandOver = Field(examples=['{every: week, weekday: monday, at: "09:00"}'])
    starts: Day = Field(examples=["2026-03-02"])
    hours: tuple[Window, ...] = Field(
        default=(), examples=['[{days: [saturday, sunday], from: "00:00", until: "24:00"}]']
    )


class Rotation(Part):
    """Who is on call: the first of its layers that has somebody at that time."""

    name: Words | None = Field(default=None, examples=["primary"])
    time_zone: TimeZone = Field(examples=["America/New_York"])
    layers: tuple[Layer, ...] = Field(
        min_length=1,
        examples=['[{people: [ana, ben], hand_over: {weekday: monday, at: "09:00"}, starts: 2026-03-02}]'],
    )


class Override(Part):
    """Somebody stands in for a rotation, from one moment until another."""

    rotation: Name = Field(examples=["primary"])
    from_: Moment = Field(validation_alias="from", examples=["2026-03-06 18:00"])
    until: Moment = Field(examples=["2026-03-08 18:00"])
    person: Name = Field(examples=["dee"])
    reason: Words | None = Field(default=None, examples=["swap"])


class Rung(Part):
    """People paged together, and how long to wait for one of them."""

    name: Words | None = Field(default=None, examples=["Primary"])
    page: Names = Field(min_length=1, examples=["[primary]"])
    wait_s: Annotated[Seconds, AfterValidator(clock(1, HOUR_S))] = Field(default=120, examples=["120"])
    wait_nobody_s: Annotated[Seconds, AfterValidator(clock(1, DAY_S))] = Field(default=300, examples=["300"])
    ring_again_s: Annotated[Seconds, AfterValidator(clock(0, HOUR_S))] = Field(default=60, examples=["60"])


class Ladder(Part):
    """Rungs in the order of climbing, and what follows when all have expired."""

    rungs: tuple[Rung, ...] = Field(min_length=1, examples=["[{page: [primary]}, {page: [secondary]}]"])
    last_resort: Names = Field(default=(), examples=["[dee]"])
    pauses_s: tuple[Annotated[Seconds, AfterValidator(clock(0, DAY_S))], ...] = Field(
        default=(0, 300, 900, 1800), min_length=1, examples=["[0, 300, 900, 1800]"]
    )
    submit_limit_s: Annotated[Seconds, AfterValidator(clock(1, HOUR_S))] = Field(default=60, examples=["60"])


class Category(Part):
    """One kind of emergency a caller can choose."""

    key: Key = Field(examples=['"1"'])
    say: Words = Field(examples=["a medical emergency"])
    severity: Severity = Field(examples=["urgent"])
    ladder: Name | None = Field(default=None, examples=["night"])


class Holiday(Part):
    """A day with other hours than its weekday's: none, or those given."""

    date: Day = Field(examples=["2026-12-25"])
    name: Words | None = Field(default=None, examples=["Christmas"])
    from_: WallTime | None = Field(default=None, validation_alias="from", examples=['"09:00"'])
    until: EndTime | None = Field(default=None, examples=['"12:00"'])

    @model_validator(mode="after")
    def _hours_have_both_ends(self) -> Self:
        if (self.from_ is None) != (self.until is None):
            raise mistaken("holiday", "only one end of the hours is given", "from and until, or neither")
        return self


class Opening(Part):
    """When the business answers its own telephone, and where it stands."""

    hours: tuple[Window, ...] = Field(
        min_length=1, examples=['[{days: [monday, tuesday], from: "08:00", until: "18:00"}]']
    )
    holidays: tuple[Holiday, ...] = Field(default=(), examples=["[{date: 2026-12-25}]"])
    forward_to: PhoneNumber | None = Field(default=None, examples=["+12025550100"])
    forward_ring_s: Annotated[Seconds, AfterValidator(clock(5, 120))] = Field(default=25, examples=["25"])


class EmergencyChoice(Part):
    """The key that reports an emergency."""

    key: Key = Field(default="1", examples=['"1"'])
    say: Annotated[Words, AfterValidator(spoken("key"))] = Field(
        default="To report an emergency, press {key}.", examples=["To report an emergency, press {key}."]
    )


class MessageChoice(Part):
    """The key that leaves a message."""

    key: Key = Field(default="2", examples=['"2"'])
    say: Annotated[Words, AfterValidator(spoken("key"))] = Field(
        default="To leave a message, press {key}.", examples=["To leave a message, press {key}."]
    )


class OpenCaseChoice(Part):
    """The key that tells a caller how their open case stands."""

    key: Key = Field(default="3", examples=['"3"'])
    say: Annotated[Words, AfterValidator(spoken("key"))] = Field(
        default="To hear about a case you have reported, press {key}.",
        examples=["To hear about a case you have reported, press {key}."],
    )


class Menu(Part):
    """What a caller hears and can press while no assistant speaks."""

    danger: Mapping[Language, Annotated[Words, AfterValidator(spoken("emergency_number"))]] = Field(
        default_factory=dict, examples=['{en: "In danger? Hang up and dial {emergency_number}."}']
    )
    greeting: Annotated[Words, AfterValidator(spoken("line"))] = Field(
        default="You have reached {line}.", examples=["You have reached {line}."]
    )
    emergency: EmergencyChoice = Field(default=EmergencyChoice(), examples=['{key: "1"}'])
    message: MessageChoice | Literal[False] = Field(default=MessageChoice(), examples=['{key: "2"}'])
    open_case: OpenCaseChoice | Literal[False] = Field(default=OpenCaseChoice(), examples=['{key: "3"}'])
    category: Annotated[Words, AfterValidator(spoken("category", "key"))] = Field(
        default="For {category}, press {key}.", examples=["For {category}, press {key}."]
    )
    prompts: Annotated[Count, Field(ge=1, le=5)] = Field(default=2, examples=["2"])
    prompt_wait_s: Annotated[Seconds, AfterValidator(clock(1, 60))] = Field(default=6, examples=["6"])
    silence: Literal["escalate", "abandon"] = Field(default="escalate", examples=["escalate"])

    def danger_sentence(self, language: str) -> str | None:
        """The sentence of danger in this language: the owner's, else ours, else None."""
        general, _, _ = language.partition("-")
        return self.danger.get(language) or DANGER.get(language) or DANGER.get(general)


class Agent(Part):
    """One character of the AI: how it speaks, what it may ask for, to whom it hands over."""

    name: Words = Field(examples=["the plumbing desk"])
    persona: Words | None = Field(default=None, examples=["Calm and brief."])
    guidance: Words | None = Field(default=None, examples=["Ask where the main valve is."])
    voice: Words = Field(default="marin", examples=["marin"])
    tools: tuple[ToolName, ...] = Field(default=(), examples=["[take_message, note]"])
    hands_over_to: Names = Field(default=(), examples=["[plumbing]"])


class Assistant(Part):
    """How the AI answers a line. Its first agent answers."""

    agents: Names = Field(default=(), examples=["[triage, plumbing]"])
    notice: Mapping[Language, Words] = Field(
        default_factory=dict, examples=["{en: You speak with an automatic assistant.}"]
    )
    greeting: Mapping[Language, Annotated[Words, AfterValidator(spoken("line"))]] = Field(
        default_factory=dict, examples=["{en: This is {line}. What has happened?}"]
    )
    danger_words: tuple[Words, ...] = Field(default=(), examples=["[oxygen machine]"])
    harmless_words: tuple[Words, ...] = Field(default=(), examples=["[smoke]"])
    danger_s: Annotated[Seconds, AfterValidator(clock(1, 60))] = Field(default=5, examples=["5"])

    def notice_in(self, language: str) -> str:
        """The notice in this language: the owner's, else ours, else in English."""
        general, _, _ = language.partition("-")
        return self.notice.get(language) or NOTICE.get(general) or NOTICE["en"]

    def greeting_in(self, language: str) -> str:
        """The first question in this language: the owner's, else ours, else in English."""
        general, _, _ = language.partition("-")
        return self.greeting.get(language) or GREETING.get(general) or GREETING["en"]


class Line(Part):
    """A telephone number that Rung answers, and how."""

    name: Words = Field(examples=["Riverside Clinic"])
    number: PhoneNumber = Field(examples=["+12025550100"])
    emergency_number: EmergencyNumber = Field(examples=['"911"'])
    time_zone: TimeZone = Field(examples=["America/New_York"])
    ladder: Name = Field(examples=["night"])
    categories: Mapping[Name, Category] = Field(
        default_factory=dict,
        examples=['{water: {key: "1", say: "a burst pipe", severity: urgent}}'],
    )
    languages: tuple[Language, ...] = Field(default=("en",), min_length=1, examples=["[en, es]"])
    opening: Opening | None = Field(
        default=None, examples=['{hours: [{days: [monday], from: "08:00", until: "18:00"}]}']
    )
    menu: Menu = Field(default=Menu(), examples=["{silence: escalate}"])
    assistant: Switch = Field(default=True, examples=["true"])
    answers: Literal["assistant", "menu"] = Field(default="assistant", examples=["assistant"])
    speech: Assistant = Field(default=Assistant(), examples=["{agents: [triage]}"])
    notes: Switch = Field(default=False, examples=["true"])
    interpreter: Switch = Field(default=False, examples=["true"])
    caller_id: PhoneNumber | None = Field(default=None, examples=["+12025550100"])
    call_back_numbers: tuple[PhoneNumber, ...] = Field(default=(), examples=["[+12025550101]"])
    messages_to: Names = Field(default=(), examples=["[desk]"])

    @property
    def calls_from(self) -> str:
        """The number that pages and join calls show."""
        return self.caller_id or self.number

    def danger_sentences(self) -> tuple[tuple[str, str], ...]:
        """The sentence that comes before all else, with its language, in each language of the line."""
        return tuple(
            (language, sentence.format(emergency_number=self.emergency_number))
            for language in self.languages
            if (sentence := self.menu.danger_sentence(language))
        )

    def menu_sentences(self) -> tuple[str, ...]:
        """What is said of the menu, the danger sentence not included."""
        choices = (self.menu.emergency, self.menu.message, self.menu.open_case)
        said = tuple(choice.say.format(key=choice.key) for choice in choices if choice)
        return (self.menu.greeting.format(line=self.name), *said)

    def category_sentences(self) -> tuple[str, ...]:
        """What is said after the emergency key, a sentence for each category."""
        return tuple(
            self.menu.category.format(category=category.say, key=category.key)
            for category in self.categories.values()
        )


class Alerts(Part):
    """Whom Rung tells about its own trouble: the operators, never the caller."""

    people: Names = Field(default=(), examples=["[dee]"])
    push: tuple[Words, ...] = Field(default=(), examples=["[ntfy://rung-operators]"])


class Configuration(Part):
    """The whole file."""

    people: Mapping[Name, Person] = Field(
        min_length=1, examples=['{ana: {name: Ana, phone: "+12025550142"}}']
    )
    rotations: Mapping[Name, Rotation] = Field(default_factory=dict, examples=["{primary: …}"])
    overrides: tuple[Override, ...] = Field(default=(), examples=["[]"])
    ladders: Mapping[Name, Ladder] = Field(min_length=1, examples=["{night: {rungs: [{page: [ana]}]}}"])
    lines: Mapping[Name, Line] = Field(min_length=1, examples=["{clinic: …}"])
    agents: Mapping[Name, Agent] = Field(
        default_factory=dict, examples=["{triage: {name: the assistant, hands_over_to: [plumbing]}}"]
    )
    country: Country = Field(default="US", examples=["US"])
    calls_per_second: Annotated[Seconds, AfterValidator(clock(0.1, 100))] = Field(default=1, examples=["1"])
    alerts: Alerts = Field(default=Alerts(), examples=["{people: [dee]}"])

    def line_of(self, number: str) -> tuple[str, Line] | None:
        """The line with this number, by its name, or None where no line has it."""
        return next(((name, line) for name, line in self.lines.items() if line.number == number), None)
