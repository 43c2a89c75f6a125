"""The conversation on one stream: who speaks, what is being said, what waits to be said. No sockets, no clock.

- Whoever speaks over the assistant stops it: clear first, then the model forgets what was not heard.
- Sound of an answer that was cut is dropped for as long as it still comes.
- What the workflow wants said waits until nobody speaks, one thing at a time.
- While quiet nothing is said at all, until a role is given; what waited to be said is then void.
- A coach begins quiet: its leg may not be one yet, and would be heard by all.
- Who takes notes is never heard: whatever sound the model makes is dropped.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import replace

from bridge.audio import samples_in
from bridge.effects import Effect, TellTrouble, TellTurns, ToModel
from bridge.errors import LocalProtocolError
from bridge.metrics import Figures
from bridge.mirror import Mirror
from bridge.model import (
    AddContext,
    Answers,
    Audio,
    Configure,
    Ending,
    Forget,
    ItemDone,
    Limits,
    News,
    Order,
    Ready,
    Remember,
    Respond,
    ResponseOver,
    ResponseStarted,
    SayExactly,
    SpeechStarted,
    SpeechStopped,
    Stop,
    ToolCalled,
    Transcript,
    Trouble,
)
from bridge.outlet import End as ItemEnd
from bridge.outlet import Outlet, Piece
from bridge.playback import Playback
from bridge.tools import Tools
from bridge.twilio_wire import SendClear, SendMark, SendMedia, StreamSid
from bridge.words import Saying, Words
from workflows.assistant import Role
from workflows.orders import Instruction
from workflows.voice import Plan, Speaker, ToolOutcome, Turn

SAYINGS_AT_MOST = 32  # the workflow says some sentences a minute; one more is refused
REFUSED_AT_MOST = 64  # responses whose sound is dropped; each ends by itself
SLOW_S = 1.8  # without the sound of an answer that is due: with the pause that ends a turn, nobody hears nothing for 3
STALLED_S = 5.0  # a model that gives no sound of it by then will not
TRIES = 3
TRY_AGAIN_S = 1.0
LOOK_S = 0.2
MOMENT_S = 1.2  # of silence while a tool is awaited; then whoever listens is told to wait
SPEECH_AT_MOST_S = 20.0  # a turn whose end was never told, or babble: what is to be said is said all the same


class Talk:
    """One stream's conversation. link: the model session in use, None while there is none."""

    def __init__(
        self,
        stream: StreamSid,
        generation: int,
        unix_s: float,
        began_s: float,
        do: Callable[[Effect], None],
    ) -> None:
        """unix_s: what a clock shows when `now` is 0. began_s: now. do: takes what is to be done, in order."""
        self.figures = Figures()
        self.plan: Plan | None = None
        self.role = Role.ANSWERING
        self.quiet = False
        self.speaking = False
        self.link: int | None = None
        self.words = Words(unix_s, began_s, self._told)
        self.playback = Playback()
        self.outlet = Outlet()
        self._do = do
        self._stream = stream
        self._unix_s = unix_s
        self._tools = Tools(generation, do)
        self._opened = False
        self._role_told = False
        self._resumes = False
        self._awaits_s: float | None = None
        self._excused = False
        self._introduced = False
        self._stopped_s: float | None = None
        self._speaks_s = 0.0
        self._active = ""
        self._asked_s: float | None = None
        self._sound_due_s: float | None = None
        self._slow_told = False
        self._wants_reply = False
        self._not_before_s = 0.0
        self._failures = 0
        self._saying: Saying | None = None
        self._sayings: deque[Saying] = deque()
        self._said = 0
        self._open_item = ""
        self._refused: dict[str, dict[str, bool]] = {}

    # What the workflow wants

    def begin(self, plan: Plan) -> None:
        """The call's plan is known. Silent: nothing is said until another role is given."""
        self._take_role(plan.role, plan)
        self.quiet = (
            plan.role is Role.SILENT or self.quiet or (plan.role is Role.COACH and not self._role_told)
        )
        self._resumes = plan.broken_off and plan.role is Role.ANSWERING
        self.words.mirror = Mirror(plan.turns)

    def configuration(self, *, first: bool) -> Configure:
        """What a model session is told to be."""
        if self.plan is None:
            raise LocalProtocolError("a model session was opened without a plan")
        plan = self.plan
        answers = not self.quiet
        return Configure(plan.instructions, plan.tools, plan.voice, plan.language, answers, first)

    def say(self, text: str, fact: str | None) -> None:
        """Say this word for word as soon as nobody speaks. Raises LocalProtocolError when too much waits."""
        if len(self._sayings) >= SAYINGS_AT_MOST:
            raise LocalProtocolError(f"{len(self._sayings)} sentences wait to be said already")
        self._said += 1
        self._sayings.append(Saying(f"say-{self._said}", text, fact))

    def instructed(self, order: Instruction, now: float) -> None:
        """The workflow wants this."""
        match order.what:
            case "quiet":
                self.quiet = True
                self._cut(now, always=True)
                self._owes_no_sound()
                self._sayings.clear()
                self._saying = None
                self._wants_reply = False
                self._order(Stop())
                self._order(Answers(yes=False))
            case "role":
                self.quiet, self._role_told = False, True
                self._take_role(order.role, order.plan)
                if order.plan is None:
                    self._order(Answers(yes=True))
                else:
                    self._order(self.configuration(first=False))
                    if order.plan.opening:
                        self._introduced = True
                        self.say(order.plan.opening, None)
            case "say":
                self.say(order.text, order.fact)
            case "context":
                self.words.mirror.add(AddContext(order.text), self._unix_s + now)
                self._order(AddContext(order.text))
        self.settle(now)

    # The model sessions

    def uses(self, link: int, *, remembered: int, configured: Configure | None, now: float) -> None:
        """This session is the one to talk to from now on.

        remembered: how much of the mirror it was told. configured: what it was told to be; that, too, may have changed
        while it was being opened.
        """
        self.link = link
        self._active, self._asked_s = "", None
        wanted = self.configuration(first=False)
        if configured is not None and replace(configured, first=False) != wanted:
            self._order(wanted)
        if missed := self.words.mirror.since(remembered):
            self._order(Remember(missed))
        if self._saying is not None:
            self._sayings.appendleft(self._saying)
            self._saying = None
        if self._resumes:
            self._resumes, self._wants_reply = False, not self.speaking
        elif self._opened or self.words.mirror.count:
            unanswered = self.words.mirror.unanswered() and not self.speaking
            self._wants_reply = self._wants_reply or (unanswered and not self.quiet)
        elif self.plan is not None and self.plan.opening and not (self.quiet or self._introduced):
            self.say(self.plan.opening, None)
        self._opened = True
        self.settle(now)

    def lost(self, now: float) -> None:
        """The session is gone: what it said is played as far as it came; what it was to say, the next one says."""
        self._finish(self._open_item, now)
        broken_off = self._asked_s is not None or bool(self._active)
        self._wants_reply = self._wants_reply or (broken_off and self._saying is None)
        self.link = None
        self.speaking = False
        self._active = ""
        self._sound_due_s, self._slow_told = None, False  # that it is lost is told, and that it is back
        self._refused.clear()
        self.words.session_lost()

    def silent(self, now: float) -> bool:
        """Whether nobody speaks, nothing is being said, and nothing is awaited."""
        return (
            not (self.speaking or self._active or self._sayings or self._wants_reply or self._tools.pending)
            and self._asked_s is None
            and self._sound_due_s is None
            and not self._playing(now)
        )

    # News of the model

    def audio(self, news: Audio, now: float) -> None:
        """A piece of sound."""
        item, response = news.item, news.response
        if self.quiet or response in self._refused or self.role is Role.NOTES:
            self.figures.dropped += 1
            self._refuse(response).setdefault(item, self.words.spoken(item) is None)
            return
        if self.words.spoken(item) is None:
            self._new_item(item, response)
        self._active, self._asked_s = response, None
        self._owes_no_sound()
        self._open_item = item
        samples = samples_in(news.payload)
        self.playback.receive(item, self.link or 0, samples)
        if samples and self.outlet.passes(samples):
            self._send_sound(item, news.payload, samples, now)
            return
        for piece in self.outlet.put(item, news.payload, now):
            self._send(piece, now)

    def goes_on(self, response: str, item: str, samples: int) -> bool:
        """Whether so much sound is more of what is being said, and goes out at once as it came."""
        return (
            item == self._open_item
            and response == self._active
            and samples > 0
            and self.outlet.passes(samples)
            and self._stopped_s is None
            and self._sound_due_s is None
            and not self.quiet
        )

    def news(self, news: News, now: float) -> None:
        """Whatever the model tells."""
        match news:
            case Audio():
                self.audio(news, now)
            case SpeechStarted(item):
                self.speaking, self._stopped_s, self._speaks_s = True, None, now
                self._owes_no_sound()
                self.words.speech_began(item, now)
                self._cut(now)
            case SpeechStopped(item):
                self.speaking, self._stopped_s = False, now
                self._sound_is_due(now)
                self.words.speech_ended(item, now)
            case ResponseStarted(response, saying):
                self._response_started(response, saying)
            case ItemDone(item):
                self._finish(item, now)
            case Transcript():
                self._transcribed(news, now)
            case ToolCalled():
                self.figures.tool_calls += 1
                self._owes_no_sound()
                tools = self.plan.tools if self.plan is not None and not self.quiet else ()
                if (answer := self._tools.called(news, tools, self.link or 0)) is not None:
                    self._order(answer)
                    self._wants_reply = True
            case ResponseOver():
                self._response_over(news, now)
            case Trouble():
                self.figures.model_errors += 1
            case Ready() | Limits():
                pass
        self.settle(now)

    def marked(self, name: str, now: float) -> None:
        """Twilio returned a mark."""
        for played in self.playback.returned(name, now):
            self.words.played(played, now)
        self.settle(now)

    def tool_done(self, call: str, outcome: ToolOutcome, now: float) -> None:
        """The workflow has answered a tool call."""
        done = self._tools.done(call, outcome, self.link or 0)
        if done is None:
            return
        self.words.mirror.add(done.use, self._unix_s + now)
        self._order(done.order)
        self._wants_reply = self._wants_reply or done.speak
        self.settle(now)

    def done_late(self, name: str, outcome: ToolOutcome, now: float) -> None:
        """What came of a tool call that the model was told to be still under way."""
        self._order(AddContext(f"{name} was done meanwhile: {outcome.output}"))
        self._wants_reply = self._wants_reply or outcome.speak
        self.settle(now)

    # Time

    def tick(self, now: float) -> None:
        """Time passes."""
        for piece in self.outlet.release(now):
            self._send(piece, now)
        if self.speaking and now >= self._speaks_s + SPEECH_AT_MOST_S:
            self.speaking = False
        if self._active and not self._playing(now):
            self._sound_is_due(now)  # it has stopped in the middle
        self._tell_slow(now)
        self._excuse(now)
        self.settle(now)

    def playing_ms(self, now: float) -> int:
        """For how long what was sent can still be heard."""
        return self.playback.left_ms(now)

    def unanswered(self, now: float) -> bool:
        """Whether the model owes sound, and has not given it for so long that it never will."""
        return self._sound_due_s is not None and now >= self._sound_due_s + STALLED_S

    def due(self, now: float) -> float | None:
        """When to look again, if nothing comes before that."""
        waits = [self.outlet.due()]
        if self._sound_due_s is not None:
            waits.append(self._sound_due_s + (STALLED_S if self._slow_told else SLOW_S))
        elif self._active:
            waits.append(now + max(self.playing_ms(now) / 1000, LOOK_S))
        elif self._sayings or self._wants_reply or (self._tools.pending and not self._excused):
            waits.append(max(now + LOOK_S, self._not_before_s))
        return min((wait for wait in waits if wait is not None), default=None)

    def settle(self, now: float) -> None:
        """If nobody speaks and nothing is being said: the next thing to be said."""
        if not self._sayings and not self._wants_reply:
            return
        if self.quiet or self.link is None or self.speaking or self._active or self._asked_s is not None:
            return
        if now < self._not_before_s or self._playing(now):
            return
        self._asked_s = now
        self._sound_is_due(now)
        if self._sayings:
            self._saying = self._sayings.popleft()
            self._saying.tries += 1
            self._saying.response = ""
            self._order(SayExactly(self._saying.id, self._saying.text))
        else:
            self._wants_reply = False
            self._order(Respond())

    def _sound_is_due(self, now: float) -> None:
        if self._sound_due_s is None and not self.quiet and self.link is not None:
            self._sound_due_s = now

    def _owes_no_sound(self) -> None:
        self._sound_due_s = None
        if self._slow_told:
            self._slow_told = False
            self._do(TellTrouble("model-back", ""))

    def _tell_slow(self, now: float) -> None:
        """Say once that an answer is late; the workflow lets whoever waits for it know that they are still heard."""
        if self._slow_told or self._failures:  # that it fails was told
            return
        if self._sound_due_s is not None and now >= self._sound_due_s + SLOW_S:
            self._slow_told = True
            self._do(TellTrouble("model-slow", "no sound of an answer"))

    def _excuse(self, now: float) -> None:
        """Say once that it takes a moment, where a tool is awaited in silence."""
        if not self._tools.pending:
            self._awaits_s, self._excused = None, False
        elif (
            self.speaking or self._active or self._asked_s is not None or self._sayings or self._playing(now)
        ):
            self._awaits_s = None
        elif self._awaits_s is None:
            self._awaits_s = now
        elif now >= self._awaits_s + MOMENT_S and not self._excused:
            self._excused = True
            if self.plan is not None and self.plan.moment and not self.quiet:
                self.say(self.plan.moment, None)

    def over(self, now: float) -> None:
        """The stream has ended: what was heard until now was heard."""
        for played in self.playback.cut(now):
            self.words.played(played, now)
        self.words.session_lost()

    # Within

    def _order(self, order: Order) -> None:
        if self.link is not None:
            self._do(ToModel(self.link, order))

    def _take_role(self, role: Role, plan: Plan | None) -> None:
        self.role = role
        if plan is not None:
            self.plan = plan
        self.outlet.paced = role is Role.COACH or (self.plan is not None and self.plan.pace)

    def _playing(self, now: float) -> bool:
        return self.outlet.holding or self.playback.playing(now)

    def _send(self, piece: Piece | ItemEnd, now: float) -> None:
        if isinstance(piece, Piece):
            self._send_sound(piece.item, piece.payload, piece.samples, now)
        elif (mark := self.playback.finish(piece.item)) is not None:
            self._do(SendMark(self._stream, mark))

    def _send_sound(self, item: str, payload: str, samples: int, now: float) -> None:
        if self._stopped_s is not None:
            self.figures.first_audio_ms.append((now - self._stopped_s) * 1000)
            self._stopped_s = None
        mark = self.playback.send(item, samples, now)
        self._do(SendMedia(self._stream, payload))
        if mark is not None:
            self._do(SendMark(self._stream, mark))

    def _new_item(self, item: str, response: str) -> None:
        saying = self._saying if self._saying is not None and self._saying.response == response else None
        self.words.begins(item, response, saying, whispered=self.role is Role.COACH)

    def _finish(self, item: str, now: float) -> None:
        """All sound of an item has come."""
        if item != self._open_item or not item:
            return
        self._open_item = ""
        for piece in self.outlet.end(item, now):
            self._send(piece, now)

    def _transcribed(self, news: Transcript, now: float) -> None:
        if news.who is Speaker.ASSISTANT and self.words.spoken(news.item) is None:
            if self.quiet or self._active in self._refused:
                return
            self._new_item(news.item, self._active)  # its words came before its sound
        self.words.written(news, now)

    def _cut(self, now: float, *, always: bool = False) -> None:
        """Nothing more of what is being said shall be heard. always: clear even if nothing seems to be playing."""
        playing = self._playing(now)
        if playing or always:
            self._do(SendClear(self._stream))
        self.figures.barge_ins += playing and not always
        self.outlet.drop()
        self._open_item = ""
        refused = self._refuse(self._active) if self._active else {}
        for played in self.playback.cut(now):
            refused[played.item] = False  # what is still to come of it was dealt with here
            if not played.whole and played.link == self.link:
                self._order(Forget(played.item, played.heard_ms))
            self.words.played(played, now)

    def _refuse(self, response: str) -> dict[str, bool]:
        """Drop the sound of this response; gives its items, and whether the model shall forget each at the end."""
        if response not in self._refused:
            while len(self._refused) >= REFUSED_AT_MOST:
                del self._refused[next(iter(self._refused))]
            self._refused[response] = {}
        return self._refused[response]

    def _response_started(self, response: str, saying: str) -> None:
        self._asked_s = None
        self._active = response
        self._refused.pop(response, None)
        void = False
        if not saying:
            self._wants_reply = False  # it answers all that was said until now
        elif self._saying is not None and saying == self._saying.id:
            self._saying.response = response
        else:
            void = True  # asked for before a silence that made it void
        if self.quiet or void or (saying and self.speaking):
            self._refuse(response)
            self._order(Stop())

    def _response_over(self, news: ResponseOver, now: float) -> None:
        if news.response == self._active or not news.response:
            self._finish(self._open_item, now)
            self._active = ""
            self._asked_s = self._sound_due_s = None
            if news.how is not Ending.FAILED:
                self._owes_no_sound()
        for item, unheard in self._refused.pop(news.response, {}).items():
            if unheard:
                self._order(Forget(item, 0))
        was_saying = self._saying is not None and self._saying.response == news.response
        if self._saying is not None and was_saying:
            if news.how is Ending.FAILED or not self._said_anything_of(self._saying, news):
                self._say_again(now)
            self._saying = None
        self.words.response_over(news.response)
        self._count_failures(news, now, ask_again=not was_saying)

    def _said_anything_of(self, saying: Saying, news: ResponseOver) -> bool:
        return self.words.said_any_of(saying) or news.how is Ending.WHOLE

    def _count_failures(self, news: ResponseOver, now: float, *, ask_again: bool) -> None:
        """An answer that failed is asked for again, a little later each time; the caller may wait for it meanwhile."""
        if news.how is not Ending.FAILED:
            if self._failures:
                self._do(TellTrouble("model-back", ""))
            self._failures = 0
            return
        self._failures += 1
        self._not_before_s = now + TRY_AGAIN_S * self._failures
        if self._failures == 1:
            self._do(TellTrouble("model-lost", f"answers fail: {news.because}"))
        if self._failures < TRIES:
            self._wants_reply = self._wants_reply or ask_again

    def _say_again(self, now: float) -> None:
        """What was to be said was not: once more, unless the model will not say it."""
        saying, self._saying = self._saying, None
        if saying is None or self.quiet:
            return
        if saying.tries < TRIES:
            self._sayings.appendleft(saying)
        else:
            self.words.never_said(saying, now)

    def _told(self, turn: Turn, link: int) -> None:
        self._do(TellTurns())
        if (
            link and link != self.link and turn.text
        ):  # the session in use does not know what the one before it said
            self._order(AddContext(f"Before the line broke you said: {turn.text}"))
