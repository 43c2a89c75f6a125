"""Who is on call at an instant, and why; what a line's ladder would be, and when that changes.

Pure: the same file and the same instant give the same answer, in any process.
It knows nothing of Temporal, of Twilio or of what time it is.

A rotation is the first of its layers that has somebody at that instant; an override goes before all layers.
A turn begins at the hand-over's time by the clock on the wall, whatever the offset from UTC is that day.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from configuration.model import (
    CHANNELS,
    WEEKDAYS,
    Channel,
    Configuration,
    Layer,
    Line,
    Override,
    Rotation,
    Rung,
    Severity,
)
from configuration.wall_clock import ONE_DAY, instant, moment, span, spans

HORIZON_DAYS = (9, 40, 370)  # look near first: most rotations change within a week
SEVERITY_WITHOUT_CATEGORY: Severity = "urgent"  # nobody has said that it can wait


@dataclass(frozen=True)
class OnCall:
    """The person on call in a rotation, and a sentence for humans that says why."""

    person: str
    because: str


@dataclass(frozen=True)
class Nobody:
    """No person is on call in a rotation, and why not."""

    because: str


@dataclass(frozen=True)
class PlannedPerson:
    """A responder on a rung, with what leads to them; None or empty is a channel not to be used."""

    person: str
    name: str
    because: str
    voice: str | None
    sms: str | None
    push: tuple[str, ...]
    languages: tuple[str, ...]

    @property
    def channels(self) -> tuple[Channel, ...]:
        """The channels that lead to this person."""
        ways: dict[Channel, object] = {"voice": self.voice, "sms": self.sms, "push": self.push}
        return tuple(channel for channel in CHANNELS if ways[channel])


@dataclass(frozen=True)
class PlannedRung:
    """One rung with the people of that instant. `nobody` says which rotations have none, and why."""

    name: str
    people: tuple[PlannedPerson, ...]
    nobody: tuple[str, ...]
    wait_s: float
    wait_nobody_s: float
    ring_again_s: float


@dataclass(frozen=True)
class PlannedLadder:
    """A line's ladder as it would be climbed from that instant on.

    The last resort is a rung of its own, with the clocks of the last one.
    """

    line: str
    ladder: str
    category: str | None
    severity: Severity
    at: datetime
    rungs: tuple[PlannedRung, ...]
    last_resort: PlannedRung
    pauses_s: tuple[float, ...]
    submit_limit_s: float


@dataclass(frozen=True)
class Turn:
    """One person's turn in a layer, and when it began (UTC)."""

    person: str
    began: datetime


def on_call(configuration: Configuration, rotation: str, at: datetime) -> OnCall | Nobody:
    """Who is on call in the rotation at the aware instant, and why. An unknown rotation is a KeyError."""
    turns = configuration.rotations[rotation]
    label = f"{turns.name or rotation} rotation"
    base = _by_turn(turns, label, at)
    for override in configuration.overrides:
        if override.rotation == rotation and _lasts(override, turns.time_zone, at):
            return OnCall(
                override.person,
                f"{base.because}; {_standing_in(configuration, override, turns.time_zone)}",
            )
    return base


def planned_ladder(
    configuration: Configuration, line: str, category: str | None, at: datetime
) -> PlannedLadder:
    """The line's ladder for the category at the aware instant.

    Without a category, or with one the line does not know, it is the line's own ladder, and urgent.
    A rung on which nobody is on call stays in its place, with the reasons. An unknown line is a KeyError.
    """
    answered = configuration.lines[line]
    chosen = answered.categories.get(category) if category is not None else None
    name = (chosen.ladder if chosen else None) or answered.ladder
    ladder = configuration.ladders[name]
    rungs = tuple(
        _planned_rung(configuration, answered, rung, rung.name or f"rung {number}", "named on the rung", at)
        for number, rung in enumerate(ladder.rungs, start=1)
    )
    resort = ladder.rungs[-1].model_copy(update={"page": ladder.last_resort})
    return PlannedLadder(
        line=line,
        ladder=name,
        category=category,
        severity=chosen.severity if chosen else SEVERITY_WITHOUT_CATEGORY,
        at=at,
        rungs=rungs,
        last_resort=_planned_rung(
            configuration, answered, resort, "last resort", "named as the last resort", at
        ),
        pauses_s=ladder.pauses_s,
        submit_limit_s=ladder.submit_limit_s,
    )


def is_open(line: Line, at: datetime) -> bool:
    """Whether the business answers its own telephone at the aware instant."""
    today = at.astimezone(line.time_zone).date()
    # Hours of yesterday may run past midnight.
    days = (today - ONE_DAY, today)
    return any(begins <= at < ends for day in days for begins, ends in opening_spans(line, day))


def opening_spans(line: Line, day: date) -> Iterator[tuple[datetime, datetime]]:
    """The opening hours that begin on this day; a holiday has its own, or none."""
    if line.opening is None:
        return
    holiday = next((holiday for holiday in line.opening.holidays if holiday.date == day), None)
    if holiday is None:
        yield from spans(line.opening.hours, day, line.time_zone)
    elif holiday.from_ is not None and holiday.until is not None:
        yield span(day, holiday.from_, holiday.until, line.time_zone)


def next_change(configuration: Configuration, at: datetime, rotation: str | None = None) -> datetime | None:
    """The first instant after `at` at which another person is on call, in one rotation or in any.

    None where nobody else comes on call within a year.
    """
    rotations = [rotation] if rotation is not None else list(configuration.rotations)
    found = [_next_change(configuration, name, at) for name in rotations]
    return min((change for change in found if change is not None), default=None)


def turn_at(layer: Layer, zone: ZoneInfo, at: datetime) -> Turn | None:
    """Whose turn it is in the layer, hours aside; None before its start."""
    today = at.astimezone(zone).date()
    # The neighbouring days: near midnight a shift can move a hand-over over the date's edge.
    for day in (today + ONE_DAY, today, today - ONE_DAY):
        began = handed_over(layer, zone, day)
        if day < layer.starts or began > at:
            continue
        count = _hand_overs_until(layer, day)
        began = handed_over(layer, zone, _last_hand_over(layer, day))
        return Turn(layer.people[count % len(layer.people)], began)
    return None


def handed_over(layer: Layer, zone: ZoneInfo, day: date) -> datetime:
    """The instant of the hand-over's local time on this day."""
    return instant(datetime.combine(day, layer.hand_over.at), zone)


def covers(layer: Layer, zone: ZoneInfo, at: datetime) -> bool:
    """Whether the layer's hours hold this instant."""
    if not layer.hours:
        return True
    today = at.astimezone(zone).date()
    days = (today - ONE_DAY, today, today + ONE_DAY)
    return any(begins <= at < ends for day in days for begins, ends in spans(layer.hours, day, zone))


def _hand_overs_until(layer: Layer, day: date) -> int:
    """How often the layer was handed over after its start, up to and including this day."""
    if layer.hand_over.weekday is None:
        return (day - layer.starts).days
    # Monday is day 1 of the ordinals, so that whole weeks can be counted by division.
    monday_based = WEEKDAYS.index(layer.hand_over.weekday) + 1
    return (day.toordinal() - monday_based) // 7 - (layer.starts.toordinal() - monday_based) // 7


def _last_hand_over(layer: Layer, day: date) -> date:
    """The day on which the turn of this day's hand-over time began."""
    if layer.hand_over.weekday is None:
        return day
    since = (day.weekday() - WEEKDAYS.index(layer.hand_over.weekday)) % 7
    return max(layer.starts, day - timedelta(days=since))


def _by_turn(rotation: Rotation, label: str, at: datetime) -> OnCall | Nobody:
    zone = rotation.time_zone
    waiting = [layer for layer in rotation.layers if turn_at(layer, zone, at) is None]
    for layer in rotation.layers:
        turn = turn_at(layer, zone, at)
        if turn is not None and covers(layer, zone, at):
            return OnCall(turn.person, _turn_sentence(layer, label, turn, zone))
    if len(waiting) == len(rotation.layers):
        first = min(handed_over(layer, zone, layer.starts) for layer in waiting)
        return Nobody(f"{label} does not begin until {_day_and_time(first, zone)} {zone.key}")
    return Nobody(f"{label} has nobody at {_day_and_time(at, zone)} {zone.key}")


def _turn_sentence(layer: Layer, label: str, turn: Turn, zone: ZoneInfo) -> str:
    began = turn.began.astimezone(zone)
    layer_name = f", {layer.name}" if layer.name else ""
    if layer.hand_over.every == "day":
        return f"{label}{layer_name}, day of {_date(began)}, handed over {began:%H:%M} {zone.key}"
    return f"{label}{layer_name}, week of {_date(began)}, handed over {began:%A %H:%M} {zone.key}"


def _lasts(override: Override, zone: ZoneInfo, at: datetime) -> bool:
    return moment(override.from_, zone) <= at < moment(override.until, zone)


def _standing_in(configuration: Configuration, override: Override, zone: ZoneInfo) -> str:
    until = _day_and_time(moment(override.until, zone), zone)
    reason = f": {override.reason}" if override.reason else ""
    return f"override by {configuration.people[override.person].name} until {until}{reason}"


def _date(local: datetime) -> str:
    return f"{local.day} {local:%B}"


def _day_and_time(at: datetime, zone: ZoneInfo) -> str:
    local = at.astimezone(zone)
    return f"{local:%A} {_date(local)} {local:%H:%M}"


def _planned_rung(
    configuration: Configuration, line: Line, rung: Rung, name: str, named: str, at: datetime
) -> PlannedRung:
    people: dict[str, list[str]] = {}
    nobody: list[str] = []
    for paged in rung.page:
        if paged in configuration.people:
            people.setdefault(paged, []).append(named)
            continue
        match on_call(configuration, paged, at):
            case OnCall(person, because):
                people.setdefault(person, []).append(because)
            case Nobody(because):
                nobody.append(because)
    return PlannedRung(
        name=name,
        people=tuple(
            _planned_person(configuration, line, person, reasons) for person, reasons in people.items()
        ),
        nobody=tuple(nobody),
        wait_s=rung.wait_s,
        wait_nobody_s=rung.wait_nobody_s,
        ring_again_s=rung.ring_again_s,
    )


def _planned_person(
    configuration: Configuration, line: Line, person: str, reasons: Iterable[str]
) -> PlannedPerson:
    known = configuration.people[person]
    return PlannedPerson(
        person=person,
        name=known.name,
        because="; also ".join(reasons),
        voice=known.voice_number,
        sms=known.sms_number,
        push=known.push_urls,
        languages=known.languages or line.languages,
    )


def _next_change(configuration: Configuration, rotation: str, at: datetime) -> datetime | None:
    now = _person(configuration, rotation, at)
    for days in HORIZON_DAYS:
        for edge in sorted(_edges(configuration, rotation, at, at + timedelta(days=days))):
            if _person(configuration, rotation, edge) != now:
                return edge
    return None


def _person(configuration: Configuration, rotation: str, at: datetime) -> str | None:
    found = on_call(configuration, rotation, at)
    return found.person if isinstance(found, OnCall) else None


def _edges(configuration: Configuration, rotation: str, after: datetime, until: datetime) -> set[datetime]:
    """Every instant in this stretch at which who is on call might change."""
    turns = configuration.rotations[rotation]
    zone = turns.time_zone
    edges: set[datetime] = set()
    for override in configuration.overrides:
        if override.rotation == rotation:
            edges |= {moment(override.from_, zone), moment(override.until, zone)}
    first, last = after.astimezone(zone).date() - ONE_DAY, until.astimezone(zone).date() + ONE_DAY
    for day in (first + timedelta(days=number) for number in range((last - first).days + 1)):
        for layer in turns.layers:
            edges.add(handed_over(layer, zone, day))
            edges.update(edge for both in spans(layer.hours, day, zone) for edge in both)
    return {edge.astimezone(UTC) for edge in edges if after < edge <= until}
