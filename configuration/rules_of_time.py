"""Rules of time: clocks that can be met, rotations without a gap, overrides that do not meet."""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta

from pydantic import ValidationError

from configuration.declared import File
from configuration.mistake import Mistake
from configuration.model import WEEKDAYS, Layer, Override, Rotation, Rung
from configuration.schedule import handed_over
from configuration.tree import Spot
from configuration.wall_clock import ONE_DAY, moment, shown

WEEK_MINUTES = 7 * 24 * 60
SHORT_WAIT_S = 20  # a telephone needs about that long to ring a few times and be picked up
DST_LOOK_AHEAD_DAYS = 366 * 2
ODD_TIMES = {
    "never": "on {day} this time does not exist: the hand-over is taken when the clocks go forward",
    "twice": "on {day} this time comes twice: the hand-over is taken the first time",
}


def clocks_leave_time_to_answer(file: File) -> Iterator[Mistake]:
    """A rung that expires before a telephone can be answered only makes noise."""
    for ladder in file.ladders.values():
        for rung in ladder.items("rungs"):
            try:
                clocks = Rung.model_validate(rung.plain())
            except ValidationError:
                continue
            for key, wait_s in (("wait_s", clocks.wait_s), ("wait_nobody_s", clocks.wait_nobody_s)):
                spot = rung.child(key)
                if spot and wait_s < SHORT_WAIT_S:
                    what = f"{wait_s:g} seconds are less than it takes to answer a telephone"
                    yield spot.warning(what, f"{SHORT_WAIT_S} or more; 120 is usual")
            again = rung.child("ring_again_s")
            if again and clocks.ring_again_s >= clocks.wait_s:
                what = f"nobody is rung again: the rung expires after {clocks.wait_s:g} seconds"
                yield again.warning(what, "fewer seconds than wait_s, or 0 to ring once")


def rotations_have_no_gap(file: File) -> Iterator[Mistake]:
    """Somebody is on call at every minute of the week, and already now."""
    paged = {
        spot.word
        for ladder in file.ladders.values()
        for block in (ladder, *ladder.items("rungs"))
        for key in ("page", "last_resort")
        for spot in block.items(key)
    }
    for name, spot in file.rotations.items():
        rotation = _rotation(spot)
        if rotation is None:
            continue
        zone = rotation.time_zone
        if gap := _gap(rotation.layers):
            what = f"nobody is on call from {gap[0]} to {gap[1]}"
            yield spot.mistake(what, "a layer without hours below the others, or hours that meet")
        elif file.now is not None and name in paged:
            now = file.now
            begun = [layer for layer in rotation.layers if handed_over(layer, zone, layer.starts) <= now]
            if not begun or _gap(begun):
                late = min((layer for layer in rotation.layers if layer not in begun), key=_starts)
                what = f"the rotation has not begun: nobody is on call before {late.starts}"
                today = now.astimezone(zone).date()
                yield spot.mistake(what, f"starts: {_hand_over_before(late, today)}, or an earlier day")


def _starts(layer: Layer) -> date:
    return layer.starts


def _hand_over_before(layer: Layer, today: date) -> date:
    yesterday = today - ONE_DAY
    if layer.hand_over.weekday is None:
        return yesterday
    return yesterday - timedelta(days=(yesterday.weekday() - WEEKDAYS.index(layer.hand_over.weekday)) % 7)


def _rotation(spot: Spot) -> Rotation | None:
    try:
        return Rotation.model_validate(spot.plain())
    except ValidationError:
        return None


def _gap(layers: Sequence[Layer]) -> tuple[str, str] | None:
    """The first stretch of the week that no layer covers, as two weekday times."""
    covered = [False] * WEEK_MINUTES
    for layer in layers:
        if not layer.hours:
            return None
        for window in layer.hours:
            length = (_minute(window.until) - _minute(window.from_)) % (24 * 60) or 24 * 60
            for day in window.days:
                begins = WEEKDAYS.index(day) * 24 * 60 + _minute(window.from_)
                for minute in range(begins, begins + length):
                    covered[minute % WEEK_MINUTES] = True
    if all(covered):
        return None
    # A gap that lasts over Sunday midnight is told from where it begins.
    begins = next((m for m in range(WEEK_MINUTES) if covered[m - 1] and not covered[m]), 0)
    ends = next((m for m in range(begins, begins + WEEK_MINUTES) if covered[m % WEEK_MINUTES]), begins)
    return _weekday_time(begins), _weekday_time(ends)


def _minute(at: time) -> int:
    return at.hour * 60 + at.minute


def _weekday_time(minute: int) -> str:
    day, rest = divmod(minute % WEEK_MINUTES, 24 * 60)
    return f"{WEEKDAYS[day].capitalize()} {rest // 60:02}:{rest % 60:02}"


def rotations_start_at_a_hand_over(file: File) -> Iterator[Mistake]:
    """A weekly rotation that starts on another weekday gives the first person a short week."""
    for spot in file.rotations.values():
        for layer_spot in spot.items("layers"):
            try:
                layer = Layer.model_validate(layer_spot.plain())
            except ValidationError:
                continue
            weekday = layer.hand_over.weekday
            if weekday is not None and WEEKDAYS[layer.starts.weekday()] != weekday:
                back = (layer.starts.weekday() - WEEKDAYS.index(weekday)) % 7
                begins = WEEKDAYS[layer.starts.weekday()].capitalize()
                what = f"{layer.starts} is a {begins}: the first turn lasts only until {weekday.capitalize()}"
                starts = layer_spot.child("starts") or layer_spot
                yield starts.warning(what, f"starts: {layer.starts - timedelta(days=back)}")


def hand_overs_exist_once(file: File) -> Iterator[Mistake]:
    """On the days the clocks are changed, some local times do not exist and some come twice."""
    for spot in file.rotations.values():
        rotation = _rotation(spot)
        if rotation is None:
            continue
        for layer, layer_spot in zip(rotation.layers, spot.items("layers"), strict=True):
            at = layer_spot.at("hand_over", "at") or layer_spot
            for how, day in _odd_days(layer, rotation, file.now).items():
                what = ODD_TIMES[how].format(day=day)
                yield at.warning(what, 'a time by day, such as at: "09:00"')


def _odd_days(layer: Layer, rotation: Rotation, now: datetime | None) -> dict[str, date]:
    """The first hand-over whose time does not exist, and the first that comes twice."""
    first = layer.starts if now is None else max(layer.starts, now.astimezone(rotation.time_zone).date())
    odd: dict[str, date] = {}
    for day in (first + timedelta(days=number) for number in range(DST_LOOK_AHEAD_DAYS)):
        if layer.hand_over.weekday in (None, WEEKDAYS[day.weekday()]):
            how = shown(datetime.combine(day, layer.hand_over.at), rotation.time_zone)
            if how != "once":
                odd.setdefault(how, day)
    return odd


def overrides_are_clear(file: File) -> Iterator[Mistake]:
    """An override ends after it begins, and two of one rotation never meet."""
    lasting: dict[str, list[tuple[datetime, datetime, Spot]]] = {}
    for spot in file.root.items("overrides"):
        try:
            override = Override.model_validate(spot.plain())
        except ValidationError:
            continue
        begins, ends = _lasting(file, override)
        if ends <= begins:
            until = spot.child("until") or spot
            yield until.mistake("the override ends before it begins", "until: a later time than from")
            continue
        others = lasting.setdefault(override.rotation, [])
        for other_begins, other_ends, other in others:
            if begins < other_ends and other_begins < ends:
                what = f"overlaps the override on line {other.line} of the same rotation"
                yield spot.mistake(
                    what, "times that do not meet: the end of one is the beginning of the next"
                )
        others.append((begins, ends, spot))


def _lasting(file: File, override: Override) -> tuple[datetime, datetime]:
    rotation = file.rotations.get(override.rotation)
    known = _rotation(rotation) if rotation else None
    if known:
        return moment(override.from_, known.time_zone), moment(override.until, known.time_zone)
    return (
        override.from_ if override.from_.tzinfo else override.from_.replace(tzinfo=UTC),
        override.until if override.until.tzinfo else override.until.replace(tzinfo=UTC),
    )
