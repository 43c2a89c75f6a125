"""The paths through a ladder whose histories are kept: each one a short story on the real server.

Clocks are short, so that a recording takes a minute; numbers are fictional, and the key of the codec is the
tests' own. What a story does is what a replay holds the code to: no more is asserted here than the way needs.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from tests.shells.exchange import Does, seconds
from tests.shells.town import LINE, PEOPLE, Caller, PageCall, Town, everywhere, ladder, person, rung
from workflows.agents import Agent, AgentId, Speech
from workflows.assistant import Post
from workflows.messages import CallerNews
from workflows.room_acts import RoomActKind
from workflows.values import ActKind, CallSid, Channel, Ladder, Severity, Via

RUNG_S = 1.0  # a rung that passes in real time
LONG_S = 60.0  # a rung on which somebody answers
BRIDGE = "bridge-1"
SPEECH = Speech((Agent(AgentId("desk"), "the desk"),), (), "Hello.")


@dataclass(frozen=True)
class Path:
    """A way through a ladder: what was configured, and what happened."""

    name: str
    ladder: Ladder
    story: Callable[[Town], Awaitable[None]]
    dynamic: tuple[str, ...] = ()  # further settings of the server


async def over(caller: Caller, *legs: PageCall) -> None:
    """The caller hangs up, then everybody else; the room ends, and the call is closed."""
    await caller.hangs_up()
    for leg in legs:
        await leg.leaves_the_room_of(caller)
    await caller.town.exchange.ordering("end_room")
    await caller.room_ends()
    await caller.handle.result()


async def acknowledged_on_rung_1(town: Town) -> None:
    """The main path, with the AI: answering, coaching, gone."""
    caller = await town.caller_reports("water through the ceiling", line=LINE)
    await town.opens(BRIDGE)
    await caller.assistant_comes(bridge=BRIDGE)
    ana = await town.rings("ana")
    await ana.rings_in_their_hand()
    await ana.presses("accept")
    await ana.enters_the_room_of(caller)
    await caller.emergency.reaches("attended")
    await caller.until(lambda view: view.coaching == ana.sid)
    await town.settles()
    await caller.emergency.resolve("ana", note="stopped the main valve")
    await town.exchange.ordering("hang_up")
    await over(caller, ana)


async def two_ais(town: Town) -> None:
    """A note-taker beside the coach, private talk, and a caller who is held and let back."""
    caller = await town.caller_rings(line=LINE, speech=SPEECH)
    await caller.reports("water through the ceiling")
    await caller.enters_the_room()
    await town.opens(BRIDGE)
    await caller.assistant_comes(bridge=BRIDGE)
    ana = await town.rings("ana")
    await ana.presses("accept")
    await ana.enters_the_room_of(caller)
    await caller.until(lambda view: view.coaching == ana.sid)
    await caller.acts(RoomActKind.BRING, "notes")
    await caller.ai_comes(Post.NOTES, bridge=BRIDGE)
    await caller.until(lambda view: all(ai.there for ai in view.ais))
    await caller.acts(RoomActKind.HOLD, "ais")
    await caller.acts(RoomActKind.HOLD, "caller")
    await caller.acts(RoomActKind.REMOVE, "ana")
    await caller.acts(RoomActKind.UNHOLD, "caller")
    await caller.acts(RoomActKind.UNHOLD, "ais")
    await caller.emergency.resolve("ana")
    await town.exchange.ordering("hang_up", 2)
    await over(caller, ana)


async def acknowledged_by_text(town: Town) -> None:
    """No phone rings any more: a join call is the way in."""
    caller = await town.caller_reports("water through the ceiling")
    await (await town.rings("ana")).lets_it_ring()
    view = await caller.emergency.until(lambda view: view.pages[0].voice.standing == "unanswered")
    page = view.pages[0]
    await town.text_comes("ana", page.code)
    await caller.emergency.acknowledge("ana", via=Via.TEXT, page=page.id, code=page.code)
    join = await town.rings("ana")
    await join.presses("accept")
    await join.enters_the_room_of(caller)
    await caller.emergency.reaches("attended")
    await caller.emergency.resolve("ana")
    await over(caller, join)


async def acknowledged_on_rung_5(town: Town) -> None:
    """Four people let it ring."""
    caller = await town.caller_reports("water through the ceiling")
    for name in PEOPLE[:4]:
        await (await town.rings(name)).lets_it_ring()
    eli = await town.rings("eli")
    await eli.presses("accept")
    await eli.enters_the_room_of(caller)
    await caller.emergency.reaches("attended")
    await caller.emergency.resolve("eli")
    await over(caller, eli)


async def nobody_and_round_again(town: Town) -> None:
    """Eight rungs and the last resort, then a second round; half a minute, the shortest a round may take."""
    caller = await town.caller_reports("water through the ceiling")
    for name in (*PEOPLE[:8], "ivo"):
        await (await town.rings(name)).lets_it_ring()
    await caller.emergency.reaches("exhausted")
    await town.real_time(seconds(30 - 8 * RUNG_S))
    ana = await town.rings("ana")
    await ana.presses("accept")
    await caller.emergency.resolve("ana")
    await over(caller, ana)


async def declined_then_acknowledged(town: Town) -> None:
    """Not me; the next rung at once, and a second key that comes too late."""
    caller = await town.caller_reports("water through the ceiling")
    ana = await town.rings("ana")
    await ana.presses("decline")
    ben, cem = await town.rings("ben"), await town.rings("cem")
    await cem.hears()
    await ben.presses("accept")
    await cem.presses("accept")
    await caller.emergency.resolve("ben")
    await over(caller, ben)


async def cancelled(town: Town) -> None:
    """It never was one; by signal, as from Temporal's own UI."""
    caller = await town.caller_reports("water through the ceiling")
    await town.rings("ana")
    await caller.emergency.signal(ActKind.CANCEL, "ana")
    await caller.emergency.handle.result()
    await over(caller)


async def life(town: Town) -> None:
    """The danger sentence at each rung, and no pause."""
    caller = await town.caller_reports("she is not breathing", severity=Severity.LIFE)
    await (await town.rings("ana")).lets_it_ring()
    await caller.hears_it_out()
    await caller.notes("emergency-called")
    ben = await town.rings("ben")
    await caller.hears_it_out()
    await ben.presses("accept")
    await caller.emergency.resolve("ben")
    await over(caller, ben)


async def caller_gone(town: Town) -> None:
    """The chase goes on without them, until the owner has been asked and says that it is over."""
    caller = await town.caller_reports("water through the ceiling")
    await town.rings("ana")
    await over(caller)
    ben = await town.rings("ben")
    await ben.presses("accept")
    await ben.ends()
    await town.exchange.until(
        lambda: any(order.kind == "ask-owner" for order in town.exchange.of("send_text"))
    )
    await caller.emergency.resolve("ben")


async def doubtful(town: Town) -> None:
    """A call and a text whose answers were lost: found by looking, neither sent again."""
    town.exchange.will(Channel.VOICE, "ana", Does.LOSE_ANSWER)
    town.exchange.will(Channel.TEXT, "ana", Does.LOSE_ANSWER)
    caller = await town.caller_reports("water through the ceiling")
    ana = await town.rings("ana")
    await caller.emergency.until(lambda view: view.pages[0].text.standing == "submitted")
    await ana.presses("accept")
    await caller.emergency.resolve("ana")
    await over(caller, ana)


async def bridge_gone(town: Town) -> None:
    """The bridge does not take its orders: the next generation is seated, then the old leg removed."""
    caller = await town.caller_reports("water through the ceiling", line=LINE)
    await caller.assistant_comes()
    await caller.bridge_attaches("bridge-that-died")
    await town.exchange.ordering("add_assistant", 2)
    await town.opens(BRIDGE)
    await caller.assistant_comes(2, bridge=BRIDGE)
    await town.exchange.ordering("hang_up")
    ana = await town.rings("ana")
    await ana.presses("accept")
    await ana.enters_the_room_of(caller)
    await caller.until(lambda view: view.coaching == ana.sid)
    await caller.emergency.resolve("ana")
    await over(caller, ana)


async def coach_changes(town: Town) -> None:
    """The owner hands it back, the next one comes, the first one leaves; one drops and is called in again."""
    caller = await town.caller_reports("water through the ceiling", line=LINE)
    await town.opens(BRIDGE)
    await caller.assistant_comes(bridge=BRIDGE)
    ana = await town.rings("ana")
    await ana.presses("accept")
    await ana.enters_the_room_of(caller)
    await caller.until(lambda view: view.coaching == ana.sid)
    await caller.emergency.act(ActKind.DECLINE, "ana")
    ben = await town.rings("ben")
    await ben.presses("accept")
    await ben.enters_the_room_of(caller)
    await ana.leaves_the_room_of(caller)
    await caller.until(lambda view: view.coaching == ben.sid)
    await ben.leaves_the_room_of(caller)
    join = await town.rings("ben")
    await join.presses("accept")
    await join.enters_the_room_of(caller)
    await caller.until(lambda view: view.coaching == join.sid)
    await caller.emergency.resolve("ben")
    await over(caller, join)


async def tried_out(town: Town) -> None:
    """One person is paged to see whether it works."""
    emergency = await town.alert_comes("a test", ladder=ladder(rung(everywhere("ana"))), test=True)
    ana = await town.rings("ana")
    await ana.presses("accept")
    await ana.ends()
    await emergency.resolve("ana")


async def alert(town: Town) -> None:
    """An emergency without a caller."""
    emergency = await town.alert_comes("power failure")
    await (await town.rings("ana")).lets_it_ring()
    ben = await town.rings("ben")
    await ben.presses("accept")
    await ben.ends()
    await emergency.resolve("ben")


async def continued(town: Town) -> None:
    """So long that it goes on in a new run, with what was judged in the old one."""
    caller = await town.caller_reports("water through the ceiling")
    ana = await town.rings("ana")
    await caller.emergency.resolve("ana", id="too-early")
    for _ in range(40):
        await caller.emergency.handle.signal("caller_gone", CallerNews(call=CallSid("CAnobody")))
    await town.settles()
    await caller.emergency.resolve("ana", id="too-early")
    await ana.presses("accept")
    await caller.emergency.resolve("ana")
    await over(caller, ana)


PATHS = (
    Path("two-ais", ladder(rung(everywhere("ana"), wait_s=LONG_S)), two_ais),
    Path("acknowledged-on-rung-1", ladder(rung(everywhere("ana"), wait_s=LONG_S)), acknowledged_on_rung_1),
    Path(
        "by-text-with-join-call", ladder(rung(person("ana", text=True), wait_s=LONG_S)), acknowledged_by_text
    ),
    Path(
        "acknowledged-on-rung-5",
        ladder(*(rung(name, wait_s=RUNG_S) for name in PEOPLE[:4]), rung("eli", wait_s=LONG_S)),
        acknowledged_on_rung_5,
    ),
    Path(
        "continued",
        ladder(rung("ana", wait_s=LONG_S)),
        continued,
        dynamic=("limit.historyCount.suggestContinueAsNew=60",),
    ),
    Path(
        "nobody-and-round-again",
        ladder(*(rung(name, wait_s=RUNG_S) for name in PEOPLE[:8]), last_resort=(person("ivo"),)),
        nobody_and_round_again,
    ),
    Path(
        "declined-then-acknowledged",
        ladder(rung("ana", wait_s=LONG_S), rung("ben", "cem", wait_s=LONG_S)),
        declined_then_acknowledged,
    ),
    Path("cancelled", ladder(rung("ana", "ben", wait_s=LONG_S)), cancelled),
    Path("life", ladder(rung("ana", wait_s=RUNG_S), rung("ben", wait_s=LONG_S)), life),
    Path(
        "caller-gone",
        ladder(rung("ana", wait_s=RUNG_S), rung(everywhere("ben"), wait_s=LONG_S), unattended_s=1.0),
        caller_gone,
    ),
    Path("doubtful", ladder(rung(person("ana", text=True), wait_s=LONG_S)), doubtful),
    Path("bridge-gone", ladder(rung("ana", wait_s=LONG_S)), bridge_gone),
    Path("coach-changes", ladder(rung("ana", wait_s=LONG_S), rung("ben", wait_s=LONG_S)), coach_changes),
    Path("test-page", ladder(rung("ana", wait_s=LONG_S)), tried_out),
    Path("alert", ladder(rung("ana", wait_s=RUNG_S), rung("ben", wait_s=LONG_S)), alert),
)
