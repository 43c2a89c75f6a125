"""The menu's table: key and attempt in, what follows out."""

import pytest

from api import menu
from api.menu import AskAgain, AskCategory, Escalate, Goodbye, TakeMessage, TellCase, category_chosen, chosen
from configuration.model import Category, Line, Menu
from workflows.values import Severity


def line(**more: object) -> Line:
    given: dict[str, object] = {
        "name": "Clinic",
        "number": "+12025550101",
        "emergency_number": "911",
        "time_zone": "America/New_York",
        "ladder": "night",
        "categories": {
            "medical": Category(key="1", say="a patient in danger", severity="life"),
            "building": Category(key="3", say="a problem with the building", severity="routine"),
        },
    }
    return Line.model_validate({**given, **more})


LAST = 2  # of the two prompts that are the default


@pytest.mark.parametrize(
    ("digits", "attempt", "follows"),
    [
        pytest.param("1", 1, AskCategory(), id="the emergency key asks what kind"),
        pytest.param("1", LAST, AskCategory(), id="also at the last prompt"),
        pytest.param("2", 1, TakeMessage(), id="the message key records one"),
        pytest.param("3", 1, TellCase(), id="the third key tells the open case"),
        pytest.param("", 1, AskAgain(2), id="silence is asked again"),
        pytest.param("9", 1, AskAgain(2), id="a wrong key is asked again"),
        pytest.param("", LAST, menu.NOT_UNDERSTOOD, id="silence to the end escalates by the line's rule"),
        pytest.param("9", LAST, menu.NOT_UNDERSTOOD, id="a wrong key to the end does too"),
        pytest.param("*", LAST, menu.NOT_UNDERSTOOD, id="a star is a wrong key"),
    ],
)
def test_main_menu(digits: str, attempt: int, follows: menu.Choice) -> None:
    assert chosen(line(), digits, attempt) == follows


def test_a_line_may_hang_up_on_silence() -> None:
    assert chosen(line(menu=Menu(silence="abandon")), "", LAST) == Goodbye()


def test_a_line_may_prompt_more_often() -> None:
    patient = line(menu=Menu(prompts=3))
    assert chosen(patient, "", 2) == AskAgain(3)
    assert chosen(patient, "", 3) == menu.NOT_UNDERSTOOD


def test_a_choice_that_the_line_does_not_offer_is_a_wrong_key() -> None:
    short = line(menu=Menu(message=False, open_case=False))
    assert chosen(short, "2", 1) == AskAgain(2)
    assert chosen(short, "3", 1) == AskAgain(2)


def test_without_categories_the_emergency_key_escalates_at_once() -> None:
    assert chosen(line(categories={}), "1", 1) == menu.UNSPECIFIED


@pytest.mark.parametrize(
    ("digits", "attempt", "follows"),
    [
        ("1", 1, Escalate("medical", "a patient in danger", Severity.LIFE)),
        ("3", LAST, Escalate("building", "a problem with the building", Severity.ROUTINE)),
        ("2", 1, AskAgain(2)),
        ("", 1, AskAgain(2)),
        pytest.param("", LAST, menu.UNSPECIFIED, id="who asked for the emergency menu is never dropped"),
    ],
)
def test_menu_of_emergencies(digits: str, attempt: int, follows: menu.Choice) -> None:
    assert category_chosen(line(), digits, attempt) == follows


def test_silence_in_the_menu_of_emergencies_escalates_also_where_the_line_abandons() -> None:
    assert category_chosen(line(menu=Menu(silence="abandon")), "", LAST) == menu.UNSPECIFIED


@pytest.mark.parametrize(
    ("category", "found"),
    [
        ("medical", Escalate("medical", "a patient in danger", Severity.LIFE)),
        ("not-understood", menu.NOT_UNDERSTOOD),
        ("emergency", menu.UNSPECIFIED),
        pytest.param("removed meanwhile", menu.UNSPECIFIED, id="a removed category is still an emergency"),
    ],
)
def test_an_emergency_is_found_again_by_its_name(category: str, found: Escalate) -> None:
    assert menu.named(line(), category) == found
