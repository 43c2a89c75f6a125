"""Languages by their tags and by their English names: what a model calls one, and what a line is set to. Pure."""

from collections.abc import Mapping, Sequence

NAMES: Mapping[str, tuple[str, ...]] = {
    "en": ("english", "ingles"),
    "es": ("spanish", "espanol", "castilian"),
    "fr": ("french", "francais"),
    "de": ("german", "deutsch"),
    "it": ("italian", "italiano"),
    "pt": ("portuguese", "portugues"),
    "nl": ("dutch", "nederlands"),
    "pl": ("polish", "polski"),
}


def spoken_as(said: str, ours: Sequence[str]) -> str | None:
    """Which of these tags is meant by a name ("Spanish") or a tag ("es-MX"); None where none is."""
    word = said.strip().lower()
    general = next((tag for tag, names in NAMES.items() if word in names), word.partition("-")[0])
    return next((tag for tag in ours if tag.lower().partition("-")[0] == general), None) if general else None


def name_of(tag: str) -> str:
    """The English name of a language; its tag where we have none."""
    names = NAMES.get(tag.lower().partition("-")[0])
    return names[0].capitalize() if names else tag
