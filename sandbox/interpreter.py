"""Executes TwiML on a leg: verb by verb, document by document, until nothing is left to do.

A verb says what comes next: the following verb, another document, or the end. Hang-ups and
redirects from outside do not show up here: they interrupt the leg's script (see `legs.py`).
"""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Literal, Protocol
from urllib.parse import urljoin

from sandbox import twiml
from sandbox.calls import CallStatus, rfc2822, voice_params
from sandbox.clips import Clips
from sandbox.clock import Promise, sleep, within
from sandbox.conference import Leaving
from sandbox.gathering import Gathered, Gathering
from sandbox.hearing import Sound
from sandbox.http import Reply
from sandbox.ids import CallSid
from sandbox.journal import Kind
from sandbox.legs import HangUp, Leg, Script
from sandbox.message_taking import MessageTaking
from sandbox.recordings import Recording, Recordings
from sandbox.rooms import Floor, Rooms
from sandbox.seats import Conference, Entry, Seat, SeatRefused
from sandbox.stream_protocol import Track
from sandbox.streams import EndedBy, StreamFailed, Streams
from sandbox.webhooks import Failed, Params, Webhook, Webhooks
from sandbox.world import Clip, World, clip_of

APPLICATION_ERROR = "We are sorry, an application error has occurred. Goodbye."
MOST_REDIRECTS = 10
MOST_LOOPS = 1_000  # of a Say or Play without end


@dataclass(frozen=True)
class Fetch:
    """A document to ask for."""

    url: str
    method: twiml.Method = "POST"
    params: Params = ()
    purpose: str = "voice"


@dataclass(frozen=True)
class Inline:
    """A document given with the request."""

    text: str


Source = Fetch | Inline


@dataclass(frozen=True)
class Loaded:
    document: twiml.Document
    url: str


Next = Literal["next", "end"] | Source


@dataclass
class Reading:
    """Where one run is: the document's URL, and redirects since something took time."""

    url: str = ""
    redirects: int = 0
    params: Params = field(default=())


@dataclass(frozen=True)
class DialResult:
    """How a dialled number ended: Twilio's DialCallStatus and the child leg."""

    status: str
    child: CallSid | None = None
    duration_s: int = 0


class Dialler(Protocol):
    """Places the calls of a `<Dial>` and connects the winner with the leg."""

    async def dial_numbers(self, leg: Leg, dial: twiml.Dial, base_url: str) -> DialResult: ...


class Interpreter:
    """Shared by all legs; each `run` keeps its own place."""

    def __init__(
        self,
        world: World,
        webhooks: Webhooks,
        rooms: Rooms,
        streams: Streams,
        recordings: Recordings,
        clips: Clips,
    ) -> None:
        self._world = world
        self._webhooks = webhooks
        self._rooms = rooms
        self._streams = streams
        self._recordings = recordings
        self._clips = clips
        self.dialler: Dialler | None = None

    def script(self, leg: Leg, source: Source) -> Script:
        """The document as something a leg can do."""

        async def run() -> None:
            await self.run(leg, source)

        return run

    async def run(self, leg: Leg, source: Source) -> bool:
        """Execute until the end. False if a verb or an error ended it, true at the last verb."""
        reading = Reading()
        position: Source = source
        while True:
            loaded = await self._load(leg, position)
            if loaded is None:
                await self._apologise(leg)
                return False
            reading.url = loaded.url
            following = await self._execute(leg, reading, loaded.document)
            if following == "next" or following == "end":
                return following == "next"
            if reading.redirects > MOST_REDIRECTS:
                self._world.alert(11215, "too many redirects", call=leg.call.sid, url=reading.url)
                await self._apologise(leg)
                return False
            position = following

    async def _apologise(self, leg: Leg) -> None:
        leg.connect()
        sound = Sound(APPLICATION_ERROR, "say")
        await leg.play(sound, await self._world.spoken(APPLICATION_ERROR))

    # ── documents ─────────────────────────────────────────────────────────────────

    async def _load(self, leg: Leg, source: Source) -> Loaded | None:
        """The document, or the fallback's, or None when there is none to be had."""
        match source:
            case Inline(text=text):
                found = self._parse(leg, text, "text/xml", "")
                failed_url = ""
            case Fetch():
                found = await self._fetch(leg, source)
                failed_url = source.url
        if isinstance(found, Loaded):
            return found
        self._world.alert(found.code, found.reason, call=leg.call.sid, url=failed_url)
        if not leg.fallback_url:
            return None
        error = (("ErrorCode", str(found.code)), ("ErrorUrl", failed_url))
        extra = source.params if isinstance(source, Fetch) else ()
        fallback = Fetch(leg.fallback_url, leg.fallback_method, (*extra, *error), "fallback")
        second = await self._fetch(leg, fallback)
        if isinstance(second, Loaded):
            return second
        self._world.alert(second.code, second.reason, call=leg.call.sid, url=leg.fallback_url)
        return None

    async def _fetch(self, leg: Leg, fetch: Fetch) -> Loaded | Failed:
        reply = await self._webhooks.ask(self._webhook(leg, fetch))
        if isinstance(reply, Failed):
            return reply
        return self._read(leg, reply, fetch.url)

    def _webhook(self, leg: Leg, fetch: Fetch) -> Webhook:
        call = leg.call
        params = (*voice_params(call), *fetch.params)
        unsigned: Params = ()
        match self._world.assumptions.call_token:
            case "signed":
                params = (*params, ("CallToken", "{}"))
            case "unsigned":
                unsigned = (("CallToken", "{}"),)
            case "absent":
                pass
        return Webhook(
            purpose=fetch.purpose,
            point=fetch.purpose,
            url=fetch.url,
            params=params,
            method=fetch.method,
            thing=call.sid,
            numbers=(call.from_, call.to),
            unsigned=unsigned,
        )

    def _read(self, leg: Leg, reply: Reply, url: str) -> Loaded | Failed:
        if reply.content_type.startswith("audio/"):
            return Loaded(twiml.Document((twiml.Play(url),)), url)
        return self._parse(leg, reply.text, reply.content_type, url)

    def _parse(self, leg: Leg, text: str, content_type: str, url: str) -> Loaded | Failed:
        try:
            document = twiml.parse(text)
        except twiml.TwimlError as error:
            if content_type == "text/plain" and text.strip():
                return Loaded(twiml.Document((twiml.Say(text.strip()),)), url)
            return Failed(error.code, str(error))
        for warning in document.warnings:
            self._world.alert(12200, warning, call=leg.call.sid, url=url)
        return Loaded(document, url)

    # ── verbs ─────────────────────────────────────────────────────────────────────

    async def _execute(self, leg: Leg, reading: Reading, document: twiml.Document) -> Next:
        for verb in document.verbs:
            self._world.journal.write(Kind.TWIML, call=leg.call.sid, verb=type(verb).__name__.lower())
            if not isinstance(verb, twiml.Redirect):
                reading.redirects = 0
            if not isinstance(verb, twiml.Redirect | twiml.Reject | twiml.Pause):
                leg.connect()
            following = await self._verb(leg, reading, verb)
            if following != "next":
                return following
        return "next"

    async def _verb(self, leg: Leg, reading: Reading, verb: twiml.Verb) -> Next:
        match verb:
            case twiml.Say() | twiml.Play() | twiml.Pause():
                await self._prompt(leg, reading, verb, None)
                return "next"
            case twiml.Gather():
                return await self._gather(leg, reading, verb)
            case twiml.Dial(target=twiml.Conference() as room):
                return await self._dial_conference(leg, reading, verb, room)
            case twiml.Dial():
                return await self._dial_numbers(leg, reading, verb)
            case twiml.Connect():
                return await self._connect(leg, reading, verb)
            case twiml.StartStream(stream=stream):
                await self._start_stream(leg, reading, stream)
                return "next"
            case twiml.StopStream(name=name):
                self._streams.stop(leg, name)
                return "next"
            case twiml.Redirect(url=url, method=method):
                reading.redirects += 1
                return Fetch(self._absolute(reading, url), method, (), "redirect")
            case twiml.Hangup():
                return "end"
            case twiml.Reject(reason=reason):
                return self._reject(leg, reason)
            case twiml.Record():
                return await self._record(leg, reading, verb)
            case twiml.Message():
                self._world.alert(12200, "<Message> answers messages, not calls", call=leg.call.sid)
                return "next"

    def _absolute(self, reading: Reading, url: str | None) -> str:
        """A document's URL or action, relative to the document; without one, the document."""
        return urljoin(reading.url, url) if url else reading.url

    def _reject(self, leg: Leg, reason: str) -> Next:
        if leg.connected:
            return "end"
        busy = HangUp("other", CallStatus.BUSY, 486)
        refused = HangUp("other", CallStatus.NO_ANSWER, 603)
        leg.outcome = busy if reason == "busy" else refused
        return "end"

    async def _prompt(
        self, leg: Leg, reading: Reading, prompt: twiml.Prompt, until: Promise[None] | None
    ) -> None:
        match prompt:
            case twiml.Say(text=text, loop=loop):
                sound = Sound(text, "say")
                clip = await self._world.spoken(text, prompt.language, prompt.voice)
            case twiml.Play(digits=digits) if digits:
                if leg.far is not None:
                    leg.far.receives_keys(digits)
                await sleep(self._world.clock, timedelta(seconds=0.5 * len(digits)))
                return
            case twiml.Play(url=url, loop=loop):
                sound = Sound(f"[{url}]", "play")
                clip = await self._clips.fetch(self._absolute(reading, url), leg.call.sid)
            case twiml.Pause(seconds=seconds):
                loop = 1
                sound, clip = Sound("", "say"), Clip(timedelta(seconds=seconds))
        for _ in range(loop or MOST_LOOPS):
            if not await leg.play(sound, clip, until):
                return

    async def _gather(self, leg: Leg, reading: Reading, gather: twiml.Gather) -> Next:
        gathering = Gathering(leg, gather)
        with gathering.listening():
            for prompt in gather.prompts:
                await self._prompt(leg, reading, prompt, gathering.touched)
            gathered = await gathering.collect()
        self._world.journal.write(
            Kind.GATHER, call=leg.call.sid, digits=gathered.digits, speech=gathered.speech
        )
        if not gathered and not gather.action_on_empty:
            return "next"
        params = (*self._gathered(gathered), ("msg", "Gather End"))
        return Fetch(self._absolute(reading, gather.action), gather.method, params, "gather")

    def _gathered(self, gathered: Gathered) -> Params:
        if not gathered.speech:
            return (("Digits", gathered.digits),)
        confidence = self._world.assumptions.speech_confidence
        return (("SpeechResult", gathered.speech), ("Confidence", str(confidence)))

    # ── rooms ─────────────────────────────────────────────────────────────────────

    async def _dial_conference(
        self, leg: Leg, reading: Reading, dial: twiml.Dial, noun: twiml.Conference
    ) -> Next:
        entry = _entry(noun, reading.url)
        try:
            conference, seat = self._rooms.take(noun.name, leg, entry)
        except SeatRefused as refused:
            code = {16026: 16025, 16028: 13240}.get(refused.code, refused.code)
            self._world.alert(code, str(refused), call=leg.call.sid, url=reading.url)
            return "next"
        began = self._world.clock.now()
        try:
            why = await self._sit(conference, seat, dial)
        except BaseException:
            why = self._why_leaving(leg)
            self._rooms.leave(conference, seat, why)
            if why is Leaving.HUNG_UP and dial.action:
                self._tell_dial_action(leg, reading, dial)
            raise
        self._rooms.leave(conference, seat, why)
        status = self._world.assumptions.dial_conference_status
        self._world.journal.write(
            Kind.DIAL, call=leg.call.sid, conference=conference.sid, status=status, reason=why.value
        )
        if why is Leaving.KICKED and not self._world.assumptions.kicked_leg_continues:
            return "end"
        seconds = round((self._world.clock.now() - began).total_seconds())
        return self._after_dial(reading, dial, DialResult(status, None, seconds))

    async def _sit(self, conference: Conference, seat: Seat, dial: twiml.Dial) -> Leaving:
        """Be in the room until something ends that."""

        def key(pressed: str) -> None:
            if pressed == "*" and dial.hangup_on_star:
                seat.left.keep(Leaving.HUNG_UP)

        taker = "dial" if dial.hangup_on_star else "nobody"
        limit = timedelta(seconds=dial.time_limit_s)
        floor = Floor(self._rooms, conference, seat)
        with seat.leg.listening(taker, keys=key, speech=floor.speech, carrier=floor):
            return await within(self._world.clock, seat.left, limit, Leaving.HUNG_UP)

    def _why_leaving(self, leg: Leg) -> Leaving:
        interruption = leg.pending_interruption
        by_far_end = isinstance(interruption, HangUp) and interruption.by in {"far", "limit"}
        return Leaving.HUNG_UP if by_far_end else Leaving.BY_REQUEST

    # ── numbers ───────────────────────────────────────────────────────────────────

    async def _dial_numbers(self, leg: Leg, reading: Reading, dial: twiml.Dial) -> Next:
        if self.dialler is None:
            return "next"
        try:
            result = await self.dialler.dial_numbers(leg, dial, reading.url)
        except BaseException:
            if self._why_leaving(leg) is Leaving.HUNG_UP and dial.action:
                self._tell_dial_action(leg, reading, dial)
            raise
        self._world.journal.write(Kind.DIAL, call=leg.call.sid, status=result.status, child=result.child)
        return self._after_dial(reading, dial, result)

    def _after_dial(self, reading: Reading, dial: twiml.Dial, result: DialResult) -> Next:
        if dial.action is None:
            return "next"
        params = _dial_params(result)
        return Fetch(self._absolute(reading, dial.action), dial.method, params, "dial")

    def _tell_dial_action(self, leg: Leg, reading: Reading, dial: twiml.Dial) -> None:
        """The caller is gone; the action is asked all the same and its reply ignored."""
        if not self._world.assumptions.dial_action_after_hangup:
            return
        params = _dial_params(DialResult(self._world.assumptions.dial_conference_status))
        fetch = Fetch(self._absolute(reading, dial.action), dial.method, params, "dial")
        self._ask_and_ignore(self._webhook(leg, fetch))

    def _ask_and_ignore(self, webhook: Webhook) -> None:
        """Ask about a call whose far end is gone; the document is not executed."""
        done = tuple((dict(webhook.params) | {"CallStatus": "completed"}).items())
        work = self._webhooks.ask(replace(webhook, params=done))
        self._world.clock.work.spawn(work, name="action after hang-up")

    # ── streams ───────────────────────────────────────────────────────────────────

    async def _connect(self, leg: Leg, reading: Reading, verb: twiml.Connect) -> Next:
        noun = _absolute_callback(verb.stream, reading.url)
        try:
            line = await self._streams.open(leg, noun, ("inbound",), both_ways=True)
        except StreamFailed:
            return "next" if self._world.assumptions.failed_stream_continues else "end"
        by: EndedBy = "call"
        try:
            with leg.listening("stream", keys=lambda key: self._streams.press(line, key)):
                by = await line.over.wait()
        finally:
            self._streams.finished(line, by)
        if verb.action:
            return Fetch(self._absolute(reading, verb.action), verb.method, (), "connect")
        return "next"

    async def _start_stream(self, leg: Leg, reading: Reading, noun: twiml.Stream) -> None:
        noun = _absolute_callback(noun, reading.url)
        try:
            line = await self._streams.open(leg, noun, _tracks(noun), both_ways=False)
        except StreamFailed:
            return

        def finish(by: EndedBy) -> None:
            if by in {"product", "fault"}:
                self._streams.finished(line, by)

        line.over.then(finish)

        def call_ended() -> None:
            if not line.over.kept:
                self._streams.finished(line, "call")

        leg.at_end(call_ended)

    # ── recording ─────────────────────────────────────────────────────────────────

    async def _record(self, leg: Leg, reading: Reading, verb: twiml.Record) -> Next:
        if verb.play_beep:
            beep = self._world.own_sound("beep")
            clip = Clip(timedelta(seconds=0.5)) if beep is None else clip_of(beep)
            await leg.play(Sound("[beep]", "beep"), clip)
        began = self._world.clock.now()
        taking = MessageTaking(leg, verb)
        try:
            with taking.listening():
                ended_by = await taking.until_over()
        except BaseException:
            if not taking.empty and self._why_leaving(leg) is Leaving.HUNG_UP:
                fetch = self._recorded(leg, reading, verb, began, taking, "hangup")
                self._ask_and_ignore(self._webhook(leg, fetch))
            raise
        if taking.empty and self._world.assumptions.silent_recording_falls_through:
            self._world.journal.write(Kind.RECORD, call=leg.call.sid, recording=None, text="")
            return "next"
        return self._recorded(leg, reading, verb, began, taking, ended_by)

    def _recorded(
        self,
        leg: Leg,
        reading: Reading,
        verb: twiml.Record,
        began: datetime,
        taking: MessageTaking,
        ended_by: str,
    ) -> Fetch:
        """Keep the recording, tell its callback, and give the action to ask."""
        now = self._world.clock.now()
        seconds = max(1, round((now - began).total_seconds()))
        recording = self._recordings.keep(leg.call.sid, began, seconds, taking.text, taking.sound)
        self._world.journal.write(
            Kind.RECORD,
            call=leg.call.sid,
            recording=recording.sid,
            duration_s=seconds,
            text=recording.text,
        )
        self._tell_recording(leg, reading, verb, recording)
        params = (
            ("RecordingUrl", self._recordings.url(recording)),
            ("RecordingSid", recording.sid),
            ("RecordingDuration", str(seconds)),
            *((("Digits", ended_by),) if ended_by else ()),
        )
        return Fetch(self._absolute(reading, verb.action), verb.method, params, "record")

    def _tell_recording(self, leg: Leg, reading: Reading, verb: twiml.Record, recording: Recording) -> None:
        if not verb.callback.url:
            return
        params: Params = (
            ("AccountSid", self._world.account.sid),
            ("CallSid", leg.call.sid),
            ("RecordingSid", recording.sid),
            ("RecordingUrl", self._recordings.url(recording)),
            ("RecordingStatus", "completed"),
            ("RecordingDuration", str(recording.duration_s)),
            ("RecordingChannels", "1"),
            ("RecordingStartTime", rfc2822(recording.created)),
            ("RecordingSource", "RecordVerb"),
        )
        url = self._absolute(reading, verb.callback.url)
        self._webhooks.tell(
            Webhook("recording", "recording", url, params, verb.callback.method, leg.call.sid)
        )


def _entry(noun: twiml.Conference, base_url: str) -> Entry:
    callback = noun.callback
    wait_url = noun.wait_url
    return Entry(
        label=noun.label,
        muted=noun.muted,
        beep=noun.beep,
        start_on_enter=noun.start_on_enter,
        end_on_exit=noun.end_on_exit,
        wait_url=urljoin(base_url, wait_url) if wait_url else wait_url,
        wait_method=noun.wait_method,
        max_participants=noun.max_participants,
        coaches=CallSid(noun.coach) if noun.coach else None,
        jitter_buffer=noun.jitter_buffer,
        callback=replace(callback, url=urljoin(base_url, callback.url) if callback.url else ""),
    )


def _tracks(noun: twiml.Stream) -> tuple[Track, ...]:
    match noun.track:
        case "both_tracks":
            return ("inbound", "outbound")
        case "outbound_track":
            return ("outbound",)
        case _:
            return ("inbound",)


def _absolute_callback(noun: twiml.Stream, base_url: str) -> twiml.Stream:
    if not noun.callback.url:
        return noun
    return replace(noun, callback=replace(noun.callback, url=urljoin(base_url, noun.callback.url)))


def _dial_params(result: DialResult) -> Params:
    child = (("DialCallSid", result.child),) if result.child is not None else ()
    return (
        ("DialCallStatus", result.status),
        *child,
        ("DialCallDuration", str(result.duration_s)),
        ("DialBridged", "true" if result.status in {"answered", "completed"} else "false"),
    )
