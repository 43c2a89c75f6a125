"""Words that mean danger to life fire, whoever says them and whatever the AI makes of them."""

import pytest

from workflows.danger import heard


@pytest.mark.parametrize(
    "words",
    [
        "My father is not breathing!",
        "he can't breathe",
        "I think he is having a heart attack.",
        "There's smoke coming from the electrical panel.",
        "I smell GAS in the basement",
        "No! Fire! There is a fire in the kitchen",
        "no there is a fire",
        "The elevator is stuck and my son is trapped inside",
        "Mi madre no respira",
        "¡Huele a gas en el sótano!",
        "hay un incendio",
        "I took too many pills",
    ],
)
def test_danger_fires(words: str) -> None:
    assert heard(words) is not None


@pytest.mark.parametrize(
    "words",
    [
        "There is water coming through the ceiling.",
        "no smoke, just water",
        "There is no smoke.",
        "I do not smell gas",
        "sin humo",
        "No hay fuego, solo agua",
        "We have no heat.",
        "I am locked out of my apartment.",
        "the fireplace is fine",
        "",
    ],
)
def test_what_is_no_danger_or_is_denied_does_not(words: str) -> None:
    assert heard(words) is None


def test_a_line_has_its_own_words() -> None:
    assert heard("the oxygen machine stopped") is None
    assert heard("the oxygen machine stopped", more=["oxygen machine"]) == "oxygen machine"
    assert heard("the chimney lets smoke in", fewer=["smoke"]) is None
    assert heard("smoke, and he collapsed", fewer=["smoke"]) == "collapsed"
