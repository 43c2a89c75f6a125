"""What a call does for its conversation with the AI: danger, false claims, tools, silence, a model that fails.

Pure, as `call` is. What must go on as if it had been heard (an emergency, a call on the emergency number) comes
back as events for `call` to decide.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from workflows import aides
from workflows import talk as conversation
from workflows.assistant import Post, Role
from workflows.call_news import (
    Announce,
    DeliverMessage,
    Effect,
    EmergencyCalled,
    Event,
    Inform,
    KeysPressed,
    LetGo,
    NotSent,
    NotTold,
    PassNote,
    Reported,
    Said,
    SayFact,
    SayWords,
    SendCaller,
    ToolAnswered,
    ToolUsed,
    VoiceSlow,
    VoiceTroubled,
    Worsened,
)
from workflows.call_state import Away, Call, CallerAt, LegAt, TellsBy
from workflows.instructions import secrets
from workflows.sentences import Words, WordsKind, fact, words_of
from workflows.talk import Standing, outcome_of, remembered
from workflows.truth import LEAKS, Known
from workflows.values import Case, Fact, Severity
from workflows.voice import Speaker, ToolOutcome

SILENT_S = 12.0  # from the last word anybody said to the next question, and then to the keys
PROMPTS: tuple[WordsKind, ...] = ("are_you_there", "still_there")
UNATTENDED_S = 8.0  # a caller who came to talk and finds nobody gets the menu: an AI's leg takes 2 to 4 s
BRIDGE_BACK_S = (
    12.0  # what a bridge that was killed may take to start anew: the caller is told to wait meanwhile
)
VOICE_BACK_S = 4.0  # what a model that fails may take to come back, before the menu takes over
MOMENT_S = 1.0  # of silence where the AI was lost; then the caller is told to wait
MOMENTS_AT_MOST = 3  # then the caller knows; news and reassurance of the ladder come as ever
MOMENT_AGAIN_S = (
    5.0  # from one such sentence to the next: it takes 2 to 3 s, and nobody hears nothing for 3 s
)
AWAY_S = 40.0  # for pressing digits; then the caller is taken to be back, or gone
TYPED_REMEMBERED = 10
AGAIN_AT_MOST = 3  # times a sentence of ours is said anew that the caller speaks over
DANGER = "danger"  # the kind of an emergency that words of danger alone have raised

Change = tuple[Call, tuple[Effect, ...], tuple[Event, ...]]


def known(call: Call) -> Known:
    """What the AI may say of people and of the case."""
    last = call.last_state
    owner = last.name if last is not None and last.kind in {"taken", "joining"} else None
    return Known(
        owner=owner,
        names=call.names_told,
        closed=call.resolved,
        numbers=(call.caller_number, call.talk.contact, call.line.number, *call.talk.numbers_said),
        secrets=secrets(call.speech) if call.speech is not None else (),
    )


def standing(call: Call) -> Standing:
    """How the call stands, for the AI's tools."""
    state = " ".join(words for _, words in fact(call.last_state, call.spoken_line)) if call.last_state else ""
    return Standing(
        escalated=call.escalation is not None,
        resolved=call.resolved,
        message_taken=call.message_taken,
        with_human=any(leg.at is LegAt.ROOM for leg in call.legs),
        severity=call.case.severity if call.case is not None else None,
        caller_number=call.caller_number if call.caller_number.startswith("+") else None,
        state=state,
    )


def heard(call: Call, event: Event) -> Change:
    """What news of the conversation changes."""
    match event:
        case Said():
            return _said(call, event)
        case ToolUsed():
            return _used(call, event)
        case ToolAnswered(call_id, outcome, _):
            return replace(call, talk=remembered(call.talk, call_id, outcome)), (), ()
        case VoiceTroubled():
            return _troubled(call, event)
        case VoiceSlow(generation, at) if generation == call.assistant.generation:
            since = call.silent_since or at - timedelta(seconds=MOMENT_S)  # they have waited long enough
            return replace(call, silent_since=since), (), ()
        case KeysPressed(_, digits, at):
            if not digits:
                return _back(call, at), (SayWords(Words("no_keys")),), ()
            typed = Inform(f"The caller typed: {digits}")
            kept = (*call.talk.typed, digits)[-TYPED_REMEMBERED:]
            call = replace(call, talk=replace(call.talk, typed=kept))
            return _back(call, at), (typed, SayWords(Words("keys_heard", digits))), ()
        case NotSent(at) if call.caller is not CallerAt.GONE:
            return _back(replace(call, caller=CallerAt.ROOM), at), (), ()
        case NotTold(told, _):
            mine = call.telling is not None and call.telling.id == told and call.told_by is TellsBy.ASSISTANT
            return (replace(call, told_at=event.at - _TELLS) if mine else call), (), ()
        case _:
            return call, (), ()


AI_TELLS_S = 12.0  # from handing the AI a fact to its having been said; then it is announced
_TELLS = timedelta(seconds=AI_TELLS_S)


def hung_up(call: Call, at: datetime) -> Change:
    """The caller is gone: what they told of and nobody has acted on is not lost with them."""
    done = (
        call.escalation is not None or call.message_taken or call.handled or call.talk.leaving_at is not None
    )
    if call.speech is None:
        return call, (), ()
    if _danger_due(call) is not None and not done:
        return _raised(call, _grave(call), at)
    if done or not call.talk.broke_off:
        return call, (), ()
    return _raised(call, _case(call, *conversation.DROPPED), at)


def due(call: Call) -> list[datetime]:
    """When the conversation needs something if nothing is heard."""
    at: list[datetime] = []
    if call.telling is not None and call.told_by is TellsBy.ASSISTANT and call.told_at is not None:
        at.append(call.told_at + _TELLS)
    if call.talk.leaving_at is not None and call.caller is CallerAt.ROOM:
        at.append(call.talk.leaving_at)
    if (danger := _danger_due(call)) is not None:
        at.append(danger)
    at += _moment_due(call)
    if call.away_since is not None and call.caller is CallerAt.ROOM:
        at.append(call.away_since + timedelta(seconds=AWAY_S))
    if call.conversing and call.away is None:
        at += [*_menu_due(call), *_prompt_due(call)]
    return at


def fell_due(call: Call, at: datetime) -> Change:
    """What must be done because nothing was heard until now: one thing may make another due at once."""
    effects: tuple[Effect, ...] = ()
    events: tuple[Event, ...] = ()
    while True:
        changed, more, follow = _one_due(call, at)
        if (changed, more, follow) == (call, (), ()):
            return call, effects, events
        call, effects, events = changed, (*effects, *more), (*events, *follow)


def _one_due(call: Call, at: datetime) -> Change:
    danger, leaving, away_since = _danger_due(call), call.talk.leaving_at, call.away_since
    in_room = call.caller is CallerAt.ROOM
    if danger is not None and danger <= at:
        return _raised(call, _grave(call), at)
    if leaving is not None and leaving <= at and in_room:
        return _let_go(call)
    if any(one <= at for one in _moment_due(call)):
        return _moment(call, at)
    if in_room and away_since is not None and away_since + timedelta(seconds=AWAY_S) <= at:
        return _back(call, at), (), ()
    if not call.conversing or call.away is not None:
        return call, (), ()
    if any(one <= at for one in _menu_due(call)):
        return _to_the_menu(call, at)
    if any(one <= at for one in _prompt_due(call)):
        return _prompted(call, at)
    return call, (), ()


def settled(call: Call, at: datetime) -> Call:
    """Since when nobody talks with a caller who came to talk, or since when they may."""
    if call.conversing and call.attended and call.talk.last_heard_at is None:
        call = replace(call, talk=replace(call.talk, last_heard_at=at))
    unattended = call.conversing and call.away is None and not call.attended
    if unattended == (call.unattended_since is not None):
        return call
    return replace(call, unattended_since=at if unattended else None)


def _said(call: Call, event: Said) -> Change:
    post = aides.post_of(call, event.generation)
    if post is Post.INTERPRETER:
        talk = conversation.interpreted(call.talk, event.generation, event.first, event.turns, event.at)
        return replace(call, talk=talk), (), ()
    if call.speech is None or post is not Post.ASSISTANT:
        return call, (), ()  # who takes notes hears what the assistant hears
    was_leaving = call.talk.leaving_at is not None
    talk, news = conversation.said(
        call.talk, event.generation, event.first, event.turns, call.speech, known(call), event.at
    )
    call = _briefed(replace(call, talk=talk), event)
    if call.caller is CallerAt.GONE:  # told late, of what was said before
        return hung_up(call, event.at)
    effects: list[Effect] = []
    for one in news:
        match one:
            case conversation.FactHeard(told, whole):
                call, more = _told(call, told, whole=whole)
                effects += more
            case conversation.FalselyClaimed(claims, whispered=False):
                effects.append(SayWords(Words("withdrawn" if LEAKS.issuperset(claims) else "correction")))
            case _:
                pass
    farewell = any(turn.speaker is Speaker.ASSISTANT for turn in event.turns)
    if was_leaving and farewell and call.caller is CallerAt.ROOM:
        call, more, _ = _let_go(call)
        effects += more
    return call, tuple(effects), ()


def _briefed(call: Call, event: Said) -> Call:
    """Whoever was whispered to has been briefed."""
    told = call.assistant.told
    if told is None or not any(turn.whispered for turn in event.turns):
        return call
    legs = (replace(leg, briefed=leg.briefed or leg.sid == told.coached) for leg in call.legs)
    return replace(call, legs=tuple(legs))


def _told(call: Call, told: str, *, whole: bool) -> tuple[Call, tuple[Effect, ...]]:
    """The AI has said a fact; one that was spoken over is said again, and announced when its time is up.

    A coach says nothing again that was meant for the caller: somebody who is in the room tells them.
    """
    telling, again = call.telling, call.talk.said_again
    answers = call.wanted.role is Role.ANSWERING
    if (ours := words_of(told)) is not None:
        repeats = not whole and answers and again < AGAIN_AT_MOST
        call = replace(call, talk=replace(call.talk, said_again=again + 1 if repeats else 0))
        return call, (SayWords(ours),) if repeats else ()
    if telling is None or telling.id != told:
        return call, ()
    if whole or (call.to_tell and not answers):
        return replace(call, telling=None), ()
    return call, (SayFact(telling),) if answers and call.told_by is TellsBy.ASSISTANT else ()


def _used(call: Call, event: ToolUsed) -> Change:
    if outcome_of(call.talk, event.id) is not None:
        return call, (), ()  # asked again
    if event.use is None or call.speech is None:
        refused = ToolOutcome(output=event.refusal or "There is nothing to be done here.")
        return replace(call, talk=remembered(call.talk, event.id, refused)), (), ()
    talk, wanted, outcome = conversation.used(call.talk, event.use, call.speech, standing(call), event.at)
    call = replace(call, talk=remembered(talk, event.id, outcome))
    effects: list[Effect] = []
    events: list[Event] = []
    for one in wanted:
        match one:
            case conversation.Report(category, spoken, severity):
                call, more, raised = _raised(call, _case(call, category, spoken, severity), event.at)
                effects += more
                events += raised
            case conversation.KeepMessage(text, name, number):
                call = replace(call, message_taken=True)
                about = ", ".join(part for part in (name, number) if part)
                effects.append(DeliverMessage("", 0, f"{text} ({about})" if about else text))
            case conversation.SendForKeys(about):
                call = replace(call, away=Away.KEYS, away_since=event.at)
                effects.append(SendCaller("keys", about))
            case conversation.EmergencyDialled():
                events.append(EmergencyCalled(event.at))
            case conversation.AgentChanged() | conversation.LanguageChanged():
                call = aides.to_be_told(call, Post.ASSISTANT)
            case conversation.NoteKept(text):
                effects.append(PassNote(text))
    return call, tuple(effects), tuple(events)


def _troubled(call: Call, event: VoiceTroubled) -> Change:
    if event.generation != call.assistant.generation:
        return call, (), ()
    if event.back:
        return replace(call, voice_lost=None, silent_since=None, moments=0), (), ()
    lost = call.voice_lost or event.silent_at or event.at
    return replace(call, voice_lost=lost, silent_since=call.silent_since or lost), (), ()


def _moment_due(call: Call) -> list[datetime]:
    """When a caller who listens to an AI that was lost is told to wait."""
    listens = call.caller is CallerAt.ROOM and call.wanted.role is Role.ANSWERING and call.away is None
    if call.silent_since is None or call.moments >= MOMENTS_AT_MOST or not listens:
        return []
    return [call.silent_since + timedelta(seconds=MOMENT_S)]


def _moment(call: Call, at: datetime) -> Change:
    """The caller hears that they are still connected, or the news that the AI did not come to say."""
    again = at + timedelta(seconds=MOMENT_AGAIN_S - MOMENT_S)
    call = replace(call, silent_since=again, moments=call.moments + 1)
    if call.telling is None:
        wait = Fact(f"moment-{at:%H%M%S}", "one_moment")
        return replace(call, to_tell=(wait, *call.to_tell)), (), ()
    if call.told_by is TellsBy.ASSISTANT:
        told = replace(call, told_by=TellsBy.ANNOUNCEMENT, told_at=at)
        return told, (Announce(call.sid, call.telling),), ()
    return call, (), ()


def _danger_due(call: Call) -> datetime | None:
    """When words of danger become an emergency by themselves: the AI had its seconds."""
    since = call.talk.danger_at
    if since is None or call.speech is None:
        return None
    if call.case is not None and call.case.severity is Severity.LIFE and not call.resolved:
        return None
    return since + timedelta(seconds=call.speech.danger_s)


def _raised(call: Call, case: Case, at: datetime) -> Change:
    """An emergency: people are woken, or those who are learn that it is worse."""
    danger_at = None if case.severity is Severity.LIFE else call.talk.danger_at
    call = replace(call, talk=replace(call.talk, danger_at=danger_at, leaving_at=None))
    if call.escalation is None or call.resolved:
        return call, (), (Reported(case, at),)
    return replace(call, case=case), (Worsened(case),), ()


def _grave(call: Call) -> Case:
    """The emergency that words of danger are, in the line's own terms where it has any."""
    kinds = call.speech.kinds if call.speech is not None else ()
    kind = next((kind for kind in kinds if kind.severity is Severity.LIFE), None)
    category, spoken = (kind.name, kind.say) if kind is not None else (DANGER, "danger to life")
    return _case(call, category, spoken, Severity.LIFE)


def _case(call: Call, category: str, spoken: str, severity: Severity) -> Case:
    reachable = call.caller_number if call.caller_number.startswith("+") else None
    kept = "".join(c for c in call.talk.contact if c.isdigit() or c == "+")
    return Case(call.line, category, spoken, severity, contact=kept if kept.startswith("+") else reachable)


def _menu_due(call: Call) -> list[datetime]:
    """When a caller who finds no AI to talk with is sent to the menu."""
    at: list[datetime] = []
    if call.unattended_since is not None:
        patience_s = BRIDGE_BACK_S if call.broken_off else UNATTENDED_S
        at.append(call.unattended_since + timedelta(seconds=patience_s))
    if call.voice_lost is not None:
        at.append(call.voice_lost + timedelta(seconds=VOICE_BACK_S))
    return at


def _prompt_due(call: Call) -> list[datetime]:
    last = call.talk.last_heard_at
    if not call.attended or last is None or call.talk.leaving_at is not None:
        return []
    return [last + timedelta(seconds=SILENT_S)]


def _prompted(call: Call, at: datetime) -> Change:
    asked = call.talk.prompts
    if asked >= len(PROMPTS):
        return _to_the_menu(call, at)
    talk = replace(call.talk, prompts=asked + 1, last_heard_at=at)
    return replace(call, talk=talk), (SayWords(Words(PROMPTS[asked])),), ()


def _back(call: Call, at: datetime) -> Call:
    """The caller is in the room again."""
    talk = replace(call.talk, last_heard_at=at)
    return replace(call, away=None, away_since=None, talk=talk)


def _to_the_menu(call: Call, at: datetime) -> Change:
    """The voice menu takes over: what it hears counts as if it had answered."""
    gone = replace(call, caller=CallerAt.MENU, away=Away.MENU, away_since=at)
    gone = replace(gone, voice_lost=None, unattended_since=None, silent_since=None, moments=0)
    return gone, (SendCaller("menu"),), ()


def _let_go(call: Call) -> Change:
    talk = replace(call.talk, leaving_at=None)
    return replace(call, talk=talk, handled=True), (LetGo(),), ()
