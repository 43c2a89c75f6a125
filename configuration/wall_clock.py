"""What a clock on the wall in a zone shows, as instants, on the days of summer and winter time too.

A local time that does not exist (clocks go forward over it) is taken at the shift itself.
A local time that is shown twice (clocks go back over it) is taken the first time.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from configuration.model import WEEKDAYS, Window

ONE_DAY = timedelta(days=1)


def shown(local: datetime, zone: ZoneInfo) -> Literal["once", "twice", "never"]:
    """How often the clock on the wall shows this naive local time."""
    first, second = _readings(local, zone)
    if first == second:
        return "once"
    return "twice" if _wall(first, zone) == local else "never"


def instant(local: datetime, zone: ZoneInfo) -> datetime:
    """The instant, in UTC, at which the clock on the wall shows this naive local time."""
    first, second = _readings(local, zone)
    if first == second or _wall(first, zone) == local:
        return first
    return _shift_between(second, first, zone)


def moment(value: datetime, zone: ZoneInfo) -> datetime:
    """The instant meant by what an owner wrote: in the zone, unless an offset was written too."""
    return instant(value, zone) if value.tzinfo is None else value.astimezone(UTC)


def span(day: date, begins: time, ends: time, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """From one local time until another; an end not after the beginning lies on the next day."""
    last = day if ends > begins else day + ONE_DAY
    return instant(datetime.combine(day, begins), zone), instant(datetime.combine(last, ends), zone)


def spans(windows: Iterable[Window], day: date, zone: ZoneInfo) -> Iterator[tuple[datetime, datetime]]:
    """The spans of those windows that begin on this day."""
    for window in windows:
        if WEEKDAYS[day.weekday()] in window.days:
            yield span(day, window.from_, window.until, zone)


def _readings(local: datetime, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """The instants with the offset before, and after, a shift near by; equal where there is none."""
    return (
        local.replace(tzinfo=zone, fold=0).astimezone(UTC),
        local.replace(tzinfo=zone, fold=1).astimezone(UTC),
    )


def _wall(at: datetime, zone: ZoneInfo) -> datetime:
    return at.astimezone(zone).replace(tzinfo=None, fold=0)


def _shift_between(before: datetime, after: datetime, zone: ZoneInfo) -> datetime:
    """The first second with the offset of `after`."""
    offset = after.astimezone(zone).utcoffset()
    earlier, later = int(before.timestamp()), int(after.timestamp())
    while later - earlier > 1:
        middle = (earlier + later) // 2
        if datetime.fromtimestamp(middle, zone).utcoffset() == offset:
            later = middle
        else:
            earlier = middle
    return datetime.fromtimestamp(later, UTC)
