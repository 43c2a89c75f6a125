"""Conferences: list, fetch, update. There is no create: rooms come with their first leg."""

from collections.abc import Iterator

from sandbox.errors import Refused
from sandbox.rest.asking import INVALID_PARAMETER, Answer, Asked, TimeFilter
from sandbox.rest.paging import page
from sandbox.rest.render import Json, conference_json
from sandbox.seats import Conference


def find(asked: Asked) -> Conference:
    """By SID only: names serve for adding a participant, nowhere else."""
    conference = asked.network.rooms.get(asked.place["conference"])
    if conference is None:
        raise asked.not_found()
    return conference


def _json(asked: Asked, conference: Conference) -> Json:
    return conference_json(asked.network.world.account.sid, conference)


def list_all(asked: Asked) -> Answer:
    return page(asked, "conferences", _matching(asked), lambda conference: _json(asked, conference))


def _matching(asked: Asked) -> Iterator[Conference]:
    name, status = asked.query.text("FriendlyName"), asked.query.text("Status")
    created = TimeFilter(asked.query, "DateCreated")
    updated = TimeFilter(asked.query, "DateUpdated")
    for conference in asked.network.rooms.newest_first():
        if (
            (name is None or conference.room.name == name)
            and (status is None or conference.room.status.value == status)
            and created.admits(conference.created)
            and updated.admits(conference.updated)
        ):
            yield conference


def fetch(asked: Asked) -> Answer:
    return Answer(200, _json(asked, find(asked)))


def update(asked: Asked) -> Answer:
    conference = find(asked)
    status = asked.form.text("Status")
    if status not in {None, "", "completed"}:
        raise Refused(400, INVALID_PARAMETER, f"Invalid Status: {status}")
    announcement = asked.form.text("AnnounceUrl")
    if announcement and not conference.room.active:
        raise Refused(404, 20404, "The conference is over")
    if announcement:
        method = asked.form.method("AnnounceMethod")
        asked.network.rooms.announce(conference, None, announcement, method)
    if status == "completed":
        asked.network.rooms.end(conference)
    return Answer(200, _json(asked, conference))
