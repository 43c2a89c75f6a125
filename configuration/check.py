"""The owner's file, checked: a configuration that can carry a night, or every mistake in one pass.

Pure but for Apprise, which takes push URLs apart without asking anybody.
"""

from dataclasses import dataclass
from datetime import datetime

from phonenumbers import SUPPORTED_REGIONS

from configuration.declared import File
from configuration.mistake import Mistake
from configuration.model import Configuration
from configuration.rules import RULES
from configuration.shape import shaped
from configuration.tree import read

__all__ = ["Checked", "Mistake", "check"]

USUAL_COUNTRY = "US"


@dataclass(frozen=True)
class Checked:
    """What a file says. The configuration is None as long as there is an error."""

    configuration: Configuration | None
    mistakes: tuple[Mistake, ...]

    @property
    def errors(self) -> tuple[Mistake, ...]:
        """The mistakes that keep the file from being used."""
        return tuple(mistake for mistake in self.mistakes if mistake.severity == "error")

    @property
    def warnings(self) -> tuple[Mistake, ...]:
        """What should be looked at by daylight."""
        return tuple(mistake for mistake in self.mistakes if mistake.severity == "warning")


def check(text: str, file: str, now: datetime | None = None) -> Checked:
    """Read the text of an owner's file and tell every mistake, in the order of its lines.

    file: the name to tell mistakes by.
    now: the aware instant at which rotations must have begun; without it they may begin at any time.
    """
    root, mistakes = read(text, file)
    if root.value is None:
        return Checked(None, tuple(mistakes))
    country = root.text("country")
    country = country if country in SUPPORTED_REGIONS else USUAL_COUNTRY
    shape = shaped(root, country)
    judged = File.of(root, country, now)
    mistakes += shape.mistakes
    mistakes += [mistake for rule in RULES for mistake in rule(judged)]
    ordered = tuple(sorted(dict.fromkeys(mistakes), key=lambda mistake: mistake.line))
    usable = shape.configuration if all(mistake.severity == "warning" for mistake in ordered) else None
    return Checked(usable, ordered)
