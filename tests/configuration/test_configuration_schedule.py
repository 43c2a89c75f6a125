"""Who is on call, and when that changes: by the clock on the wall, in summer and winter, and at midnight."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from configuration.model import (
    WEEKDAYS,
    Category,
    Configuration,
    HandOver,
    Holiday,
    Ladder,
    Layer,
    Line,
    Opening,
    Override,
    Person,
    Rotation,
    Rung,
    Weekday,
    Window,
)
from configuration.schedule import Nobody, OnCall, is_open, next_change, on_call, planned_ladder
from configuration.wall_clock import instant, shown

NEW_YORK = ZoneInfo("America/New_York")
WEEKEND: tuple[Weekday, ...] = ("saturday", "sunday")
NAMES = ("ana", "ben", "cy", "dee")
PEOPLE = {
    name: Person(name=name.capitalize(), phone=f"+1202555011{number}") for number, name in enumerate(NAMES)
}


def weekly(*people: str, weekday: Weekday = "monday", at: str = "09:00", starts: str = "2026-01-05") -> Layer:
    hand_over = HandOver(every="week", weekday=weekday, at=time.fromisoformat(at))
    return Layer(people=people, hand_over=hand_over, starts=date.fromisoformat(starts))


def daily(*people: str, at: str, starts: str = "2026-01-05", hours: tuple[Window, ...] = ()) -> Layer:
    hand_over = HandOver(every="day", at=time.fromisoformat(at))
    return Layer(people=people, hand_over=hand_over, starts=date.fromisoformat(starts), hours=hours)


def hours(*days: Weekday, begins: str = "00:00", until: str = "00:00") -> Window:
    return Window(days=days, from_=time.fromisoformat(begins), until=time.fromisoformat(until))


def rotating(
    *layers: Layer, zone: str = "America/New_York", overrides: tuple[Override, ...] = ()
) -> Configuration:
    return Configuration(
        people=PEOPLE,
        rotations={"primary": Rotation(time_zone=ZoneInfo(zone), layers=layers)},
        overrides=overrides,
        ladders={"night": Ladder(rungs=(Rung(page=("primary",)),), last_resort=("dee",))},
        lines={"clinic": clinic()},
    )


def clinic(**given: object) -> Line:
    usual: dict[str, object] = {
        "name": "Clinic",
        "number": "+12025550101",
        "emergency_number": "911",
        "time_zone": "America/New_York",
        "ladder": "night",
    }
    return Line.model_validate(usual | given)


def override(begins: str, until: str, person: str, reason: str | None = "swap") -> Override:
    return Override(
        rotation="primary",
        from_=datetime.fromisoformat(begins),
        until=datetime.fromisoformat(until),
        person=person,
        reason=reason,
    )


def in_new_york(when: str) -> datetime:
    return datetime.fromisoformat(when).replace(tzinfo=NEW_YORK)


def who(configuration: Configuration, at: datetime) -> str | None:
    found = on_call(configuration, "primary", at)
    return found.person if isinstance(found, OnCall) else None


def why(configuration: Configuration, at: datetime) -> str:
    return on_call(configuration, "primary", at).because


# Turns


def test_the_turn_begins_at_the_hand_over_and_not_a_moment_before() -> None:
    turns = rotating(weekly("ana", "ben"))
    assert who(turns, in_new_york("2026-01-12T08:59:59")) == "ana"
    assert who(turns, in_new_york("2026-01-12T09:00:00")) == "ben"


def test_people_take_turns_in_the_order_of_the_file_and_begin_again() -> None:
    turns = rotating(weekly("ana", "ben", "cy"))
    mondays = [in_new_york("2026-01-05T09:00") + timedelta(weeks=week) for week in range(5)]
    assert [who(turns, monday) for monday in mondays] == ["ana", "ben", "cy", "ana", "ben"]


def test_nobody_is_on_call_before_the_first_turn() -> None:
    turns = rotating(weekly("ana", "ben"))
    found = on_call(turns, "primary", in_new_york("2026-01-05T08:59"))
    assert found == Nobody("primary rotation does not begin until Monday 5 January 09:00 America/New_York")


def test_a_start_on_another_weekday_makes_the_first_turn_short() -> None:
    turns = rotating(weekly("ana", "ben", starts="2026-01-07"))
    assert who(turns, in_new_york("2026-01-07T09:00")) == "ana"
    assert who(turns, in_new_york("2026-01-12T08:59")) == "ana"
    assert who(turns, in_new_york("2026-01-12T09:00")) == "ben"
    assert "week of 7 January, handed over Wednesday 09:00" in why(turns, in_new_york("2026-01-08T00:00"))


def test_the_reason_tells_the_week_and_the_hand_over() -> None:
    told = why(rotating(weekly("ana", "ben")), in_new_york("2026-03-08T02:00"))
    assert told == "primary rotation, week of 2 March, handed over Monday 09:00 America/New_York"


def test_the_reason_of_a_daily_turn_tells_the_day() -> None:
    told = why(rotating(daily("ana", "ben", at="18:00")), in_new_york("2026-03-03T02:00"))
    assert told == "primary rotation, day of 2 March, handed over 18:00 America/New_York"


def test_an_instant_is_the_same_from_whatever_zone_it_is_asked() -> None:
    turns = rotating(weekly("ana", "ben"))
    at = in_new_york("2026-01-12T09:00")
    assert on_call(turns, "primary", at) == on_call(turns, "primary", at.astimezone(ZoneInfo("Asia/Tokyo")))


# Midnight


def test_a_hand_over_at_midnight_belongs_to_the_day_that_begins() -> None:
    turns = rotating(daily("ana", "ben", at="00:00"))
    assert who(turns, in_new_york("2026-01-05T23:59:59")) == "ana"
    assert who(turns, in_new_york("2026-01-06T00:00:00")) == "ben"


def test_a_night_keeps_its_person_across_midnight() -> None:
    turns = rotating(daily("ana", "ben", at="18:00"))
    assert who(turns, in_new_york("2026-01-05T23:59")) == who(turns, in_new_york("2026-01-06T17:59")) == "ana"


def test_midnight_is_the_rotations_and_not_the_callers() -> None:
    turns = rotating(daily("ana", "ben", at="00:00"), zone="Asia/Tokyo")
    assert who(turns, datetime(2026, 1, 5, 14, 59, tzinfo=UTC)) == "ana"
    assert who(turns, datetime(2026, 1, 5, 15, 0, tzinfo=UTC)) == "ben"


def test_a_midnight_that_does_not_exist_is_taken_when_the_clocks_go_forward() -> None:
    # Santiago, 6 September 2026: 24:00 of Saturday is 01:00 of Sunday.
    santiago = ZoneInfo("America/Santiago")
    turns = rotating(daily("ana", "ben", at="00:00", starts="2026-09-05"), zone="America/Santiago")
    shift = datetime(2026, 9, 6, 1, 0, tzinfo=santiago)
    assert shown(datetime(2026, 9, 6), santiago) == "never"
    assert who(turns, shift.astimezone(UTC) - timedelta(seconds=1)) == "ana"
    assert who(turns, shift) == "ben"


def test_the_hour_before_midnight_that_comes_twice_stays_with_the_day_that_ends() -> None:
    # Santiago, 4 April 2026: 24:00 is 23:00 again.
    turns = rotating(daily("ana", "ben", at="00:00", starts="2026-04-04"), zone="America/Santiago")
    second = datetime(2026, 4, 4, 23, 30, fold=1, tzinfo=ZoneInfo("America/Santiago"))
    assert who(turns, second) == "ana"
    assert who(turns, second.astimezone(UTC) + timedelta(minutes=30)) == "ben"


def test_a_midnight_that_comes_twice_is_taken_the_first_time() -> None:
    # Havana, 1 November 2026: 01:00 is 00:00 again.
    turns = rotating(daily("ana", "ben", at="00:00", starts="2026-10-31"), zone="America/Havana")
    first = datetime(2026, 11, 1, 0, 0, tzinfo=ZoneInfo("America/Havana"))
    assert who(turns, first.astimezone(UTC) - timedelta(seconds=1)) == "ana"
    assert who(turns, first) == "ben"
    assert who(turns, first.replace(fold=1)) == "ben"


# Summer and winter


@pytest.mark.parametrize("day", ["2026-03-02", "2026-03-09", "2026-10-26", "2026-11-02"])
def test_a_hand_over_is_at_nine_whatever_the_offset_from_utc_is(day: str) -> None:
    turns = rotating(weekly("ana", "ben"))
    before, after = (who(turns, in_new_york(f"{day}T{at}")) for at in ("08:59:59", "09:00:00"))
    assert {before, after} == {"ana", "ben"}


def test_the_week_of_the_change_to_summer_time_has_an_hour_less() -> None:
    turns = rotating(weekly("ana", "ben"))
    begins, ends = in_new_york("2026-03-02T09:00"), in_new_york("2026-03-09T09:00")
    assert next_change(turns, begins) == ends
    assert ends.astimezone(UTC) - begins.astimezone(UTC) == timedelta(days=7, hours=-1)


def test_the_week_of_the_change_to_winter_time_has_an_hour_more() -> None:
    turns = rotating(weekly("ana", "ben"))
    begins, ends = in_new_york("2026-10-26T09:00"), in_new_york("2026-11-02T09:00")
    assert next_change(turns, begins) == ends
    assert ends.astimezone(UTC) - begins.astimezone(UTC) == timedelta(days=7, hours=1)


def test_a_time_that_does_not_exist_is_taken_when_the_clocks_go_forward() -> None:
    turns = rotating(daily("ana", "ben", at="02:30", starts="2026-03-07"))
    assert who(turns, datetime(2026, 3, 8, 6, 59, 59, tzinfo=UTC)) == "ana"  # 01:59:59 EST
    assert who(turns, datetime(2026, 3, 8, 7, 0, tzinfo=UTC)) == "ben"  # 03:00 EDT
    assert "handed over 03:00" in why(turns, datetime(2026, 3, 8, 8, 0, tzinfo=UTC))


def test_a_time_that_comes_twice_is_taken_the_first_time() -> None:
    turns = rotating(daily("ana", "ben", at="01:30", starts="2026-10-31"))
    assert who(turns, datetime(2026, 11, 1, 5, 29, 59, tzinfo=UTC)) == "ana"  # 01:29:59 EDT
    assert who(turns, datetime(2026, 11, 1, 5, 30, tzinfo=UTC)) == "ben"  # 01:30 EDT
    assert who(turns, datetime(2026, 11, 1, 6, 29, tzinfo=UTC)) == "ben"  # 01:29 EST, the second time


def test_a_day_that_a_zone_left_out_has_its_hand_over_at_the_shift() -> None:
    # Apia went from 29 to 31 December 2011.
    apia = ZoneInfo("Pacific/Apia")
    assert instant(datetime(2011, 12, 30, 9), apia) == datetime(2011, 12, 30, 10, tzinfo=UTC)


def test_hours_that_begin_in_the_skipped_hour_begin_at_the_shift() -> None:
    early = daily("cy", at="00:00", hours=(hours("sunday", begins="02:30", until="04:00"),))
    turns = rotating(early, weekly("ana"))
    assert who(turns, datetime(2026, 3, 8, 6, 59, tzinfo=UTC)) == "ana"
    assert who(turns, datetime(2026, 3, 8, 7, 0, tzinfo=UTC)) == "cy"
    assert who(turns, datetime(2026, 3, 8, 8, 0, tzinfo=UTC)) == "ana"


def test_hours_that_end_in_the_hour_that_comes_twice_end_once() -> None:
    late = daily("cy", at="00:00", hours=(hours("sunday", begins="00:00", until="01:30"),))
    turns = rotating(late, weekly("ana"))
    assert who(turns, datetime(2026, 11, 1, 5, 29, tzinfo=UTC)) == "cy"
    assert who(turns, datetime(2026, 11, 1, 6, 0, tzinfo=UTC)) == "ana"  # 01:00 EST: over already


# Layers


def test_the_first_layer_that_has_somebody_is_on_call() -> None:
    turns = rotating(daily("cy", at="00:00", hours=(hours(*WEEKEND),)), weekly("ana"))
    assert who(turns, in_new_york("2026-01-09T23:59")) == "ana"
    assert who(turns, in_new_york("2026-01-10T00:00")) == "cy"
    assert who(turns, in_new_york("2026-01-11T23:59")) == "cy"
    assert who(turns, in_new_york("2026-01-12T00:00")) == "ana"


def test_a_layer_that_has_not_begun_leaves_the_turn_to_the_next() -> None:
    turns = rotating(weekly("ben", starts="2026-02-02"), weekly("ana"))
    assert who(turns, in_new_york("2026-02-02T08:59")) == "ana"
    assert who(turns, in_new_york("2026-02-02T09:00")) == "ben"


def test_hours_may_run_past_midnight() -> None:
    nights = daily("cy", at="12:00", hours=(hours("friday", begins="18:00", until="08:00"),))
    turns = rotating(nights, weekly("ana"))
    assert who(turns, in_new_york("2026-01-10T07:59")) == "cy"
    assert who(turns, in_new_york("2026-01-10T08:00")) == "ana"
    assert who(turns, in_new_york("2026-01-10T18:00")) == "ana"


def test_hours_without_anybody_say_so() -> None:
    turns = rotating(daily("cy", at="00:00", hours=(hours(*WEEKEND),)))
    assert why(turns, in_new_york("2026-01-12T10:00")) == (
        "primary rotation has nobody at Monday 12 January 10:00 America/New_York"
    )


def test_a_layer_tells_its_name() -> None:
    layer = weekly("ana").model_copy(update={"name": "weekdays"})
    assert why(rotating(layer), in_new_york("2026-01-06T00:00")).startswith(
        "primary rotation, weekdays, week"
    )


# Overrides


def test_an_override_goes_before_the_rotation_and_says_why() -> None:
    turns = rotating(weekly("ana"), overrides=(override("2026-03-06T18:00", "2026-03-08T18:00", "dee"),))
    assert on_call(turns, "primary", in_new_york("2026-03-07T03:00")) == OnCall(
        "dee",
        "primary rotation, week of 2 March, handed over Monday 09:00 America/New_York; "
        "override by Dee until Sunday 8 March 18:00: swap",
    )


def test_an_override_begins_and_ends_to_the_second() -> None:
    turns = rotating(weekly("ana"), overrides=(override("2026-03-06T18:00", "2026-03-08T18:00", "dee"),))
    edges = ["2026-03-06T17:59:59", "2026-03-06T18:00:00", "2026-03-08T17:59:59", "2026-03-08T18:00:00"]
    assert [who(turns, in_new_york(edge)) for edge in edges] == ["ana", "dee", "dee", "ana"]


def test_an_override_with_an_offset_is_taken_at_that_instant() -> None:
    turns = rotating(
        weekly("ana"), overrides=(override("2026-03-06T18:00+00:00", "2026-03-06T20:00+00:00", "dee"),)
    )
    assert who(turns, datetime(2026, 3, 6, 17, 59, tzinfo=UTC)) == "ana"
    assert who(turns, datetime(2026, 3, 6, 18, 0, tzinfo=UTC)) == "dee"


def test_an_override_helps_where_the_rotation_has_nobody() -> None:
    turns = rotating(
        weekly("ana", starts="2026-04-06"),
        overrides=(override("2026-03-06T18:00", "2026-03-08T18:00", "dee"),),
    )
    assert who(turns, in_new_york("2026-03-07T00:00")) == "dee"


def test_an_override_of_another_rotation_changes_nothing() -> None:
    elsewhere = override("2026-03-06T18:00", "2026-03-08T18:00", "dee").model_copy(
        update={"rotation": "secondary"}
    )
    assert who(rotating(weekly("ana"), overrides=(elsewhere,)), in_new_york("2026-03-07T00:00")) == "ana"


# The next change


def test_the_next_change_is_when_another_person_comes_on_call() -> None:
    turns = rotating(weekly("ana", "ana", "ben"))
    assert next_change(turns, in_new_york("2026-01-05T09:00")) == in_new_york("2026-01-19T09:00")


def test_an_override_is_a_change_when_it_begins_and_when_it_ends() -> None:
    turns = rotating(weekly("ana"), overrides=(override("2026-03-06T18:00", "2026-03-08T18:00", "dee"),))
    assert next_change(turns, in_new_york("2026-03-03T00:00")) == in_new_york("2026-03-06T18:00")
    assert next_change(turns, in_new_york("2026-03-06T18:00")) == in_new_york("2026-03-08T18:00")


def test_one_person_alone_is_never_changed() -> None:
    assert next_change(rotating(weekly("ana")), in_new_york("2026-03-03T00:00")) is None


def test_the_next_change_of_all_rotations_is_the_earliest() -> None:
    turns = rotating(weekly("ana", "ben"))
    both = turns.model_copy(
        update={
            "rotations": {
                **turns.rotations,
                "second": Rotation(time_zone=NEW_YORK, layers=(daily("ana", "ben", at="18:00"),)),
            }
        }
    )
    at = in_new_york("2026-01-06T12:00")
    assert next_change(both, at) == in_new_york("2026-01-06T18:00")
    assert next_change(both, at, "primary") == in_new_york("2026-01-12T09:00")


# Ladders


def laddered(*rungs: Rung, **given: object) -> Configuration:
    turns = rotating(weekly("ana", "ben"))
    ladders = {
        "night": Ladder(rungs=rungs, last_resort=("dee",)),
        "fire": Ladder(rungs=(Rung(page=("cy",)),), pauses_s=(0,), submit_limit_s=20),
    }
    return turns.model_copy(update={"ladders": ladders, "lines": {"clinic": clinic(**given)}})


def test_a_rung_has_the_people_of_that_instant() -> None:
    plan = planned_ladder(laddered(Rung(page=("primary",))), "clinic", None, in_new_york("2026-01-13T00:00"))
    (person,) = plan.rungs[0].people
    assert (person.person, person.name, person.voice) == ("ben", "Ben", "+12025550111")
    assert person.because.startswith("primary rotation, week of 12 January")


def test_a_rung_keeps_its_clocks_and_its_name() -> None:
    rungs = (
        Rung(page=("ana",), wait_s=30, wait_nobody_s=40, ring_again_s=0),
        Rung(page=("ben",), name="Ben"),
    )
    plan = planned_ladder(laddered(*rungs), "clinic", None, in_new_york("2026-01-13T00:00"))
    first, second = plan.rungs
    assert (first.name, first.wait_s, first.wait_nobody_s, first.ring_again_s) == ("rung 1", 30, 40, 0)
    assert (second.name, second.wait_s, second.wait_nobody_s, second.ring_again_s) == ("Ben", 120, 300, 60)


def test_the_last_resort_has_the_clocks_of_the_last_rung() -> None:
    plan = planned_ladder(
        laddered(Rung(page=("ana",), wait_s=5)), "clinic", None, in_new_york("2026-01-13T00:00")
    )
    assert [person.person for person in plan.last_resort.people] == ["dee"]
    assert plan.last_resort.wait_s == 5
    assert plan.pauses_s == (0, 300, 900, 1800)
    assert plan.submit_limit_s == 60


def test_a_rung_whose_rotation_has_nobody_is_told_and_not_dropped() -> None:
    configuration = laddered(Rung(page=("primary",)), Rung(page=("cy",)))
    plan = planned_ladder(configuration, "clinic", None, in_new_york("2026-01-01T00:00"))
    assert len(plan.rungs) == 2
    assert plan.rungs[0].people == ()
    assert plan.rungs[0].nobody == (
        "primary rotation does not begin until Monday 5 January 09:00 America/New_York",
    )


def test_a_person_named_twice_on_a_rung_is_paged_once_for_both_reasons() -> None:
    configuration = laddered(Rung(page=("primary", "ana")))
    plan = planned_ladder(configuration, "clinic", None, in_new_york("2026-01-06T00:00"))
    (person,) = plan.rungs[0].people
    assert person.because.endswith("America/New_York; also named on the rung")


def test_a_category_may_have_a_ladder_and_has_a_severity() -> None:
    fire = Category(key="1", say="fire", severity="life", ladder="fire")
    leak = Category(key="2", say="a leak", severity="routine")
    configuration = laddered(
        Rung(page=("ana",)), categories={"fire": fire.model_dump(), "leak": leak.model_dump()}
    )
    at = in_new_york("2026-01-06T00:00")
    plans = [
        planned_ladder(configuration, "clinic", category, at) for category in ("fire", "leak", None, "odd")
    ]
    assert [(plan.ladder, plan.severity) for plan in plans] == [
        ("fire", "life"),
        ("night", "routine"),
        ("night", "urgent"),
        ("night", "urgent"),
    ]
    assert plans[0].pauses_s == (0,)
    assert plans[0].submit_limit_s == 20


def test_an_unknown_line_is_not_planned() -> None:
    with pytest.raises(KeyError):
        planned_ladder(laddered(Rung(page=("ana",))), "clinc", None, in_new_york("2026-01-06T00:00"))


@pytest.mark.parametrize(
    ("person", "channels"),
    [
        (Person(name="P", phone="+12025550111"), ("voice", "sms")),
        (Person(name="P", phone="+12025550111", sms=False), ("voice",)),
        (Person(name="P", phone="+12025550111", push=("ntfy://p",)), ("voice", "sms", "push")),
        (Person(name="P", phone="+12025550111", push=("ntfy://p",), channels=("push",)), ("push",)),
        (Person(name="P", sms="+12025550111"), ("sms",)),
        (Person(name="P"), ()),
    ],
    ids=["phone", "no_sms", "push_too", "only_push_wanted", "only_sms", "none"],
)
def test_channels_are_those_that_lead_to_the_person_and_are_wanted(
    person: Person, channels: tuple[str, ...]
) -> None:
    configuration = laddered(Rung(page=("ana",))).model_copy(update={"people": {**PEOPLE, "ana": person}})
    plan = planned_ladder(configuration, "clinic", None, in_new_york("2026-01-06T00:00"))
    assert plan.rungs[0].people[0].channels == channels == person.reached_by


def test_a_person_is_spoken_to_in_their_languages_else_in_the_lines() -> None:
    ana = PEOPLE["ana"].model_copy(update={"languages": ("es",)})
    configuration = laddered(Rung(page=("ana", "ben")), languages=["en", "fr"])
    configuration = configuration.model_copy(update={"people": {**PEOPLE, "ana": ana}})
    plan = planned_ladder(configuration, "clinic", None, in_new_york("2026-01-06T00:00"))
    assert [person.languages for person in plan.rungs[0].people] == [("es",), ("en", "fr")]


# Lines


OPENING = Opening(
    hours=(
        hours("monday", "tuesday", begins="08:00", until="18:00"),
        hours("friday", begins="20:00", until="00:00"),
    ),
    holidays=(
        Holiday(date=date(2026, 1, 6)),
        Holiday(date=date(2026, 1, 13), from_=time(9), until=time(12)),
    ),
)


@pytest.mark.parametrize(
    ("at", "open_"),
    [
        ("2026-01-05T07:59:59", False),
        ("2026-01-05T08:00:00", True),
        ("2026-01-05T17:59:59", True),
        ("2026-01-05T18:00:00", False),
        ("2026-01-07T12:00:00", False),
        ("2026-01-09T23:59:59", True),
        ("2026-01-10T00:00:00", False),
        ("2026-01-06T12:00:00", False),
        ("2026-01-13T08:30:00", False),
        ("2026-01-13T09:00:00", True),
        ("2026-01-13T12:00:00", False),
    ],
    ids=[
        "before_opening",
        "from_its_first_second",
        "until_its_last_second",
        "after_closing",
        "not_on_other_days",
        "until_midnight",
        "not_after_midnight",
        "not_on_a_holiday",
        "not_before_a_holidays_own_hours",
        "in_a_holidays_own_hours",
        "not_after_a_holidays_own_hours",
    ],
)
def test_a_line_is_open_in_its_hours(at: str, open_: bool) -> None:
    line = clinic().model_copy(update={"opening": OPENING})
    assert is_open(line, in_new_york(at)) is open_


def test_a_line_without_hours_is_never_open() -> None:
    assert not is_open(clinic(), in_new_york("2026-01-05T12:00"))


def test_opening_hours_are_local_in_summer_and_winter() -> None:
    line = clinic().model_copy(update={"opening": OPENING})
    assert is_open(line, datetime(2026, 3, 2, 13, tzinfo=UTC))  # 08:00 EST
    assert not is_open(line, datetime(2026, 3, 9, 11, 59, tzinfo=UTC))  # 07:59 EDT
    assert is_open(line, datetime(2026, 3, 9, 12, tzinfo=UTC))  # 08:00 EDT


def test_the_danger_sentence_is_said_in_each_language_of_the_line() -> None:
    assert clinic(languages=["en", "es"]).danger_sentences() == (
        ("en", "If anyone is in danger, hang up and dial 911."),
        ("es", "Si alguien está en peligro, cuelgue y marque el 911."),
    )


def test_the_owners_danger_sentence_goes_before_ours() -> None:
    line = clinic(menu={"danger": {"en": "Danger? Dial {emergency_number}."}})
    assert line.danger_sentences() == (("en", "Danger? Dial 911."),)


def test_a_regional_language_has_the_sentence_of_its_language() -> None:
    assert clinic(languages=["pt-BR"]).danger_sentences()[0][0] == "pt-BR"


def test_the_menu_says_only_the_choices_there_are() -> None:
    assert clinic(menu={"message": False}).menu_sentences() == (
        "You have reached Clinic.",
        "To report an emergency, press 1.",
        "To hear about a case you have reported, press 3.",
    )


def test_the_categories_are_said_with_their_keys() -> None:
    line = clinic(categories={"leak": {"key": "4", "say": "a leak", "severity": "urgent"}})
    assert line.category_sentences() == ("For a leak, press 4.",)


def test_a_line_is_found_by_the_number_that_was_called() -> None:
    configuration = laddered(Rung(page=("ana",)))
    found = configuration.line_of("+12025550101")
    assert found is not None
    assert found[0] == "clinic"
    assert configuration.line_of("+12025550199") is None


def test_calls_show_the_lines_number_unless_another_is_given() -> None:
    assert clinic().calls_from == "+12025550101"
    assert clinic(caller_id="+12025550105").calls_from == "+12025550105"


# Properties


ZONES = st.sampled_from(
    ["America/New_York", "Europe/London", "America/Santiago", "Australia/Lord_Howe", "Asia/Beirut", "UTC"]
)
INSTANTS = st.datetimes(datetime(2026, 1, 12), datetime(2028, 1, 1), timezones=st.just(UTC))
TIMES = st.builds(time, st.integers(0, 23), st.sampled_from([0, 15, 30]))
PEOPLE_IN_TURN = st.lists(st.sampled_from(NAMES), min_size=1, max_size=4).map(tuple)
HAND_OVERS = st.one_of(
    st.builds(HandOver, every=st.just("day"), at=TIMES),
    st.builds(HandOver, every=st.just("week"), weekday=st.sampled_from(WEEKDAYS), at=TIMES),
)
WINDOWS = st.builds(
    Window,
    days=st.lists(st.sampled_from(WEEKDAYS), min_size=1, unique=True).map(tuple),
    from_=TIMES,
    until=TIMES,
)
BASES = st.builds(Layer, people=PEOPLE_IN_TURN, hand_over=HAND_OVERS, starts=st.just(date(2026, 1, 5)))
LAYERS = st.builds(
    Layer,
    people=PEOPLE_IN_TURN,
    hand_over=HAND_OVERS,
    starts=st.just(date(2026, 1, 5)),
    hours=st.lists(WINDOWS, max_size=2).map(tuple),
)


@st.composite
def rotations(draw: st.DrawFn) -> Configuration:
    layers = (*draw(st.lists(LAYERS, max_size=2)), draw(BASES))
    return rotating(*layers, zone=draw(ZONES))


@settings(max_examples=200, deadline=None)
@given(turns=rotations(), at=INSTANTS)
def test_exactly_one_person_is_on_call_at_every_instant_of_a_rotation_without_a_gap(
    turns: Configuration, at: datetime
) -> None:
    found = on_call(turns, "primary", at)
    assert isinstance(found, OnCall)
    assert found.person in NAMES


@settings(max_examples=100, deadline=None)
@given(turns=rotations(), at=INSTANTS)
def test_nobody_is_changed_before_the_next_change_and_somebody_is_at_it(
    turns: Configuration, at: datetime
) -> None:
    now, change = who(turns, at), next_change(turns, at)
    if change is None:
        assert who(turns, at + timedelta(days=40)) == now
        return
    assert change > at
    assert who(turns, change) != now
    stretch = change - at
    assert all(who(turns, at + stretch * part / 7) == now for part in range(7))
    assert who(turns, change - timedelta(microseconds=1)) == now


@settings(max_examples=200, deadline=None)
@given(base=BASES, zone=ZONES, at=INSTANTS)
def test_every_hand_over_is_at_its_time_by_the_clock_on_the_wall(
    base: Layer, zone: str, at: datetime
) -> None:
    two = base.model_copy(update={"people": ("ana", "ben")})
    change = next_change(rotating(two, zone=zone), at)
    assert change is not None
    local = change.astimezone(ZoneInfo(zone))
    wanted = datetime.combine(local.date(), base.hand_over.at)
    if shown(wanted, ZoneInfo(zone)) == "never":
        assert local.utcoffset() != (change - timedelta(seconds=1)).astimezone(ZoneInfo(zone)).utcoffset()
    else:
        assert (local.time(), local.fold) == (base.hand_over.at, 0)
    if base.hand_over.weekday:
        assert WEEKDAYS[local.weekday()] == base.hand_over.weekday


@settings(max_examples=100, deadline=None)
@given(local=st.datetimes(datetime(2026, 1, 1), datetime(2030, 1, 1)), zone=ZONES)
def test_an_instant_shows_the_time_it_was_taken_from(local: datetime, zone: str) -> None:
    at = instant(local, ZoneInfo(zone)).astimezone(ZoneInfo(zone)).replace(tzinfo=None, fold=0)
    assert at == local or shown(local, ZoneInfo(zone)) == "never"
