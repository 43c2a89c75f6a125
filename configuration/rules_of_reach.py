"""Rules of reach: whoever is to be woken or told has a way to be."""

import logging
from collections.abc import Iterator

from apprise import Apprise
from pydantic import ValidationError

from configuration.declared import File, one
from configuration.mistake import Mistake
from configuration.model import CHANNELS, Person
from configuration.tree import Spot


def rungs_reach_somebody(file: File) -> Iterator[Mistake]:
    """On every rung, at any time, at least one person has a channel."""
    for ladder in file.ladders.values():
        for rung in ladder.items("rungs"):
            yield from _reached(file, rung, "page", "the rung")
        yield from _reached(file, ladder, "last_resort", "the last resort")
        if ladder.child("rungs") and not ladder.child("last_resort"):
            yield ladder.warning(
                "nobody is the last resort when all rungs have expired", "last_resort: [name]"
            )


def _reached(file: File, owner: Spot, key: str, what: str) -> Iterator[Mistake]:
    spot, named = owner.child(key), [spot.word for spot in owner.items(key)]
    if spot is None or not any(name in file.people or name in file.rotations for name in named):
        return  # nobody is named, or nobody who is known: told by other rules
    ways = [_ways(file, name) for name in named]
    if not any(ways):
        yield spot.mistake(
            f"{what} reaches nobody: {', '.join(named)} may have no phone, SMS or push",
            "a person with a channel, or give them one",
        )
    elif not any("voice" in way for way in ways):
        yield spot.warning(f"no telephone rings: {what} has only SMS or push", "also a person with a phone")


def _ways(file: File, name: str) -> set[str]:
    """The channels that reach this person, or whoever is on call in this rotation."""
    if name in file.people:
        return _channels(file.people[name])
    rotation = file.rotations.get(name)
    layers = rotation.items("layers") if rotation else ()
    members = [spot.word for layer in layers for spot in layer.items("people")]
    ways = [_channels(file.people[member]) for member in members if member in file.people]
    return set[str]().union(*ways) if ways and all(ways) else set()


def _channels(person: Spot) -> set[str]:
    """The channels of a person, all of them where the model has refused something."""
    try:
        return set(Person.model_validate(person.plain()).reached_by)
    except ValidationError:
        return set(CHANNELS)


def channels_have_an_address(file: File) -> Iterator[Mistake]:
    """A channel asked for needs a number or a URL."""
    for name, person in file.people.items():
        reached = _channels(person)
        for channel in person.items("channels"):
            if channel.word in CHANNELS and channel.word not in reached:
                key = "phone" if channel.word == "voice" else channel.word
                yield channel.mistake(
                    f"{name} has no {key} to be reached by", f"a {key}, or without this channel"
                )


def stand_ins_can_be_reached(file: File) -> Iterator[Mistake]:
    """Who stands in, is told or takes messages must have a channel for it."""
    for override in file.root.items("overrides"):
        for spot in one(override, "person"):
            if spot.word in file.people and not _channels(file.people[spot.word]):
                yield spot.mistake(f"{spot.word} has no phone, SMS or push", "a person who can be reached")
    told = [line.items("messages_to") for line in file.lines.values()]
    for people in (*told, file.root.items("alerts", "people")):
        for spot in people:
            if spot.word in file.people and not _channels(file.people[spot.word]) & {"sms", "push"}:
                yield spot.mistake(f"{spot.word} has no SMS or push to be told by", "a person who has one")


def push_urls_can_be_used(file: File) -> Iterator[Mistake]:
    """Apprise must know where to push."""
    lists = [person.items("push") for person in file.people.values()]
    for spot in (spot for urls in [*lists, file.root.items("alerts", "push")] for spot in urls):
        url = spot.word
        if url.strip() and not _leads_somewhere(url):
            scheme = url.split("://", maxsplit=1)[0] if "://" in url else "no service"
            yield spot.mistake(
                f"this push URL ({scheme}) leads nowhere", "an Apprise URL such as ntfy://rung-ana"
            )


def _leads_somewhere(url: str) -> bool:
    logger = logging.getLogger("apprise")
    was, logger.disabled = logger.disabled, True  # it logs the whole URL, and with it the password
    try:
        service = Apprise.instantiate(url)
    finally:
        logger.disabled = was
    _, _, target = url.partition("://")
    return service is not None and bool(target.strip("/"))


def operators_hear_of_trouble(file: File) -> Iterator[Mistake]:
    """Somebody is told when a page may be lost."""
    if not any(file.root.items("alerts", "people")) and not any(file.root.items("alerts", "push")):
        spot = file.root.at("alerts") or file.root
        yield spot.warning("nobody is told when Rung itself is in trouble", "alerts: {people: [name]}")


def messages_reach_somebody(file: File) -> Iterator[Mistake]:
    """A message that callers can leave has a reader."""
    for line in file.lines.values():
        choice = line.at("menu", "message")
        if (choice is None or choice.value is not False) and not any(line.items("messages_to")):
            yield line.warning("callers can leave messages, but nobody gets them", "messages_to: [name]")
