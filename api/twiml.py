# mypy: allow-untyped-calls
"""TwiML, built by small functions that return text. Knows no workflow and no request.

Menus are inside their Gather, so that whoever knows the way need not wait for the sentence to end; an empty
finishOnKey lets every key be an answer.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from twilio.twiml.messaging_response import MessagingResponse
from twilio.twiml.voice_response import Connect, Dial, Gather, Start, Stop, Stream, VoiceResponse

from api.phrases import Spoken

LEG_TIME_LIMIT_S = 4 * 60 * 60  # every leg's backstop, should all else fail to end it
RECORD_AT_MOST_S = 180
RECORD_SILENCE_S = 6
ONE_MOMENT_S = (
    4  # an address that answers again is asked in time, and one that does not is not asked for ever
)
EVENTS = "end join leave announcement"  # each one told is a step of the call's workflow: what changes nothing is not

EAR = "ear"  # what the stream is called by which a leg's own voice is told apart

_VOICES = {
    "de": "de-DE",
    "en": "en-US",
    "es": "es-MX",
    "fr": "fr-FR",
    "it": "it-IT",
    "nl": "nl-NL",
    "pl": "pl-PL",
    "pt": "pt-BR",
}


@dataclass(frozen=True)
class Menu:
    """Sentences and one key: where the key, or silence, is sent."""

    says: Sequence[Spoken]
    action: str
    wait_s: float = 5.0


@dataclass(frozen=True)
class Ear:
    """Where it is heard when this leg speaks: a bridge, and the token that says whose leg it is."""

    url: str
    token: str


@dataclass(frozen=True)
class Seat:
    """A leg's place in a room. wait_url None: Twilio's own music is as good as anything for a responder."""

    room: str
    label: str
    action: str
    events_url: str
    wait_url: str | None = None
    star_leaves: bool = False
    ear: Ear | None = None


def say(says: Iterable[Spoken]) -> str:
    """Sentences, and the call goes on to nothing: it ends."""
    return str(_said(VoiceResponse(), says))


def say_goodbye(says: Iterable[Spoken]) -> str:
    """Sentences, and hang up."""
    response = _said(VoiceResponse(), says)
    response.hangup()
    return str(response)


def nothing() -> str:
    """No verb: an answer for callbacks, and the way on for a leg that was screened."""
    return str(VoiceResponse())


def hang_up() -> str:
    """End the call."""
    return say_goodbye(())


def redirect(says: Iterable[Spoken], url: str, *, pause_s: int = 0) -> str:
    """Sentences, perhaps a pause, then ask another URL."""
    response = _said(VoiceResponse(), says)
    if pause_s:
        response.pause(length=pause_s)
    response.redirect(url)
    return str(response)


def ask(menu: Menu) -> str:
    """Ask for one key; silence comes to the same action without a digit."""
    response = VoiceResponse()
    response.append(_gather(menu, empty_too=True))
    response.redirect(menu.action)  # should Gather fall through all the same
    return str(response)


def ask_digits(menu: Menu) -> str:
    """Ask for any number of digits, ended by # or by a pause; none comes to the same action."""
    response = VoiceResponse()
    gather = _gather(menu, empty_too=True, digits=None)
    response.append(gather)
    response.redirect(menu.action)
    return str(response)


def ask_or(menu: Menu, otherwise: Iterable[Spoken], then: str | None = None) -> str:
    """Ask for one key; silence is no act: then a last sentence, and `then` or the end."""
    response = VoiceResponse()
    response.append(_gather(menu, empty_too=False))
    _said(response, otherwise)
    if then is None:
        response.hangup()
    else:
        response.redirect(then)
    return str(response)


def enter_room(says: Iterable[Spoken], seat: Seat, recovery: str | None = None) -> str:
    """Sentences, then the room. recovery: asked should the Dial come back without its action."""
    response = _said(VoiceResponse(), says)
    if seat.ear is not None:
        _listen(response, seat.ear)
    dial = Dial(action=seat.action, time_limit=LEG_TIME_LIMIT_S)
    if seat.star_leaves:
        dial = Dial(action=seat.action, time_limit=LEG_TIME_LIMIT_S, hangup_on_star=True)
    waiting = {"wait_url": seat.wait_url} if seat.wait_url is not None else {}
    dial.conference(
        seat.room,
        participant_label=seat.label,
        beep="false",
        start_conference_on_enter=True,
        end_conference_on_exit=False,
        jitter_buffer_size="small",
        status_callback=seat.events_url,
        status_callback_event=EVENTS,
        **waiting,
    )
    response.append(dial)
    if recovery is not None:
        response.redirect(recovery)
    return str(response)


def record(says: Iterable[Spoken], action: str) -> str:
    """Sentences, then a recording. Silence is not sent to the action, so it is asked without one."""
    response = _said(VoiceResponse(), says)
    _record(response, action)
    response.redirect(action)
    return str(response)


def forward(number: str, ring_s: float, action: str) -> str:
    """Ring another number; the action hears how that went."""
    response = VoiceResponse()
    dial = Dial(action=action, timeout=round(ring_s))
    dial.number(number)
    response.append(dial)
    return str(response)


def ring_number(says: Iterable[Spoken], number: str, caller_id: str, action: str) -> str:
    """Connect this leg with a number, showing the line's own."""
    response = _said(VoiceResponse(), says)
    dial = Dial(action=action, caller_id=caller_id, time_limit=LEG_TIME_LIMIT_S)
    dial.number(number)
    response.append(dial)
    return str(response)


def ring_screened(
    says: Iterable[Spoken],
    number: str,
    *,
    caller_id: str,
    ring_s: int,
    screen: str,
    action: str,
) -> str:
    """Ring somebody; whoever answers hears the screen first, which connects them or does not."""
    response = _said(VoiceResponse(), says)
    _dial_screened(response, number, caller_id=caller_id, ring_s=ring_s, screen=screen, action=action)
    return str(response)


def static_fallback(
    opening: Sequence[Spoken],
    numbers: Sequence[str],
    *,
    caller_id: str,
    ring_s: int,
    screen: str,
    between: Sequence[Spoken],
    before_tone: Sequence[Spoken],
    recorded: str,
) -> str:
    """A whole night in one document: ring, ring the next, record. Needs nobody but Twilio."""
    response = _said(VoiceResponse(), opening)
    for number in numbers:
        _dial_screened(response, number, caller_id=caller_id, ring_s=ring_s, screen=screen, method="GET")
        _said(response, between)
        response.pause(length=3)
    _said(response, before_tone)
    _record(response, recorded, method="GET")
    response.redirect(recorded, method="GET")
    return str(response)


def one_moment(says: Iterable[Spoken]) -> str:
    """Sentences, a pause, and once more the address that could not be had.

    For a host that fills in what it was asked with, as Twilio's TwiML Bins do.
    """
    return redirect(says, "{{ErrorUrl}}", pause_s=ONE_MOMENT_S)


def screen(menu: Menu, *, method: str = "POST") -> str:
    """Ask for a key before connecting; silence ends this leg, and nobody is connected."""
    response = VoiceResponse()
    response.append(_gather(menu, empty_too=False, method=method))
    response.hangup()
    return str(response)


def stream(url: str, token: str, then: str, *, pause_s: int = 0) -> str:
    """Carry the leg's audio to a bridge, perhaps after a pause; when that ends, ask what now."""
    response = VoiceResponse()
    if pause_s:
        response.pause(length=pause_s)
    carried = Stream(url=url)
    carried.parameter(name="token", value=token)
    connect = Connect()
    connect.append(carried)
    response.append(connect)
    response.redirect(then)
    return str(response)


def wait(says: Iterable[Spoken], pause_s: int) -> str:
    """What is heard in an empty room; Twilio asks anew when it is over."""
    response = _said(VoiceResponse(), says)
    response.pause(length=pause_s)
    return str(response)


def text_reply(sentence: str | None) -> str:
    """An SMS in answer, or none."""
    response = MessagingResponse()
    if sentence is not None:
        response.message(sentence)
    return str(response)


def voice_of(language: str) -> str:
    """Twilio's name of a language."""
    return _VOICES.get(language, language)


def _said(response: VoiceResponse, says: Iterable[Spoken]) -> VoiceResponse:
    for language, sentence in says:
        response.say(sentence, language=voice_of(language))
    return response


def _listen(response: VoiceResponse, ear: Ear) -> None:
    """Start the leg's own stream; one from an earlier visit to the room would go on beside it."""
    stop, start = Stop(), Start()
    stop.stream(name=EAR)
    response.append(stop)
    carried = Stream(url=ear.url, name=EAR, track="inbound_track")
    carried.parameter(name="token", value=ear.token)
    start.append(carried)
    response.append(start)


def _gather(menu: Menu, *, empty_too: bool, method: str = "POST", digits: int | None = 1) -> Gather:
    """digits: how many; None: as many as come, until #."""
    many = {"num_digits": digits} if digits is not None else {}
    gather = Gather(
        **many,
        timeout=max(1, round(menu.wait_s)),
        finish_on_key="" if digits is not None else "#",
        action=menu.action,
        method=method,
        action_on_empty_result=empty_too,
    )
    for language, sentence in menu.says:
        gather.say(sentence, language=voice_of(language))
    return gather


def _record(response: VoiceResponse, action: str, *, method: str = "POST") -> None:
    response.record(
        action=action,
        method=method,
        max_length=RECORD_AT_MOST_S,
        timeout=RECORD_SILENCE_S,
        finish_on_key="#",
        play_beep=True,
    )


def _dial_screened(
    response: VoiceResponse,
    number: str,
    *,
    caller_id: str,
    ring_s: int,
    screen: str,
    action: str | None = None,
    method: str = "POST",
) -> None:
    onward = {"action": action} if action is not None else {}
    dial = Dial(caller_id=caller_id, timeout=ring_s, time_limit=LEG_TIME_LIMIT_S, **onward)
    dial.number(number, url=screen, method=method)
    response.append(dial)
