"""A page's evidence moves forwards only, channel by channel, whatever order its news comes in."""

from itertools import permutations

import pytest

from tests.workflows.night import SEED, ana, at, person
from workflows.pages import Evidence, Page, Standing, drawn_code, moved, planned, rung_again
from workflows.values import Channel, PageId, Responder

PIA = person("Pia", push=True)
WAY = [Standing.SUBMITTED, Standing.REACHED, Standing.ANSWERED]
ENDS = [Standing.UNANSWERED, Standing.FAILED, Standing.WITHDRAWN]


def a_page(who: Responder = ana, page_id: str = "esc.1") -> Page:
    """A page about to be sent."""
    return planned(PageId(page_id), who, rung=0, round_=1, seed=SEED, at=at(0))


def told(page: Page, *standings: Standing, channel: Channel = Channel.VOICE) -> Page:
    """The page after this news, in this order."""
    for standing in standings:
        page = moved(page, channel, Evidence(standing, "CA1", at(5)))
    return page


def test_a_page_goes_out_on_every_channel_that_the_person_has() -> None:
    page = a_page(PIA)
    assert [page.on(channel).standing for channel in Channel] == [Standing.QUEUED] * 3
    assert a_page(ana).push.standing is Standing.ABSENT


@pytest.mark.parametrize("order", list(permutations(WAY)), ids=str)
def test_evidence_in_any_order_comes_to_the_furthest(order: tuple[Standing, ...]) -> None:
    assert told(a_page(), *order).voice.standing is Standing.ANSWERED


@pytest.mark.parametrize("end", ENDS)
def test_a_straggler_does_not_reopen_what_has_ended(end: Standing) -> None:
    ended = told(a_page(), end)
    for late in WAY:
        assert told(ended, late).voice.standing is end


def test_of_two_different_ends_the_first_stands() -> None:
    assert told(a_page(), Standing.FAILED, Standing.UNANSWERED).voice.standing is Standing.FAILED
    assert told(a_page(), Standing.UNANSWERED, Standing.FAILED).voice.standing is Standing.UNANSWERED


def test_a_doubt_is_settled_by_what_is_known_and_never_brought_back() -> None:
    doubtful = told(a_page(), Standing.UNKNOWN)
    assert doubtful.voice.standing is Standing.UNKNOWN
    found = told(doubtful, Standing.SUBMITTED, Standing.UNKNOWN)
    assert found.voice.standing is Standing.SUBMITTED


def test_news_of_a_channel_that_the_person_lacks_changes_nothing() -> None:
    page = a_page(ana)
    assert told(page, Standing.ANSWERED, channel=Channel.PUSH) == page


def test_the_providers_id_is_kept_when_later_news_lacks_it() -> None:
    page = told(a_page(), Standing.SUBMITTED)
    page = moved(page, Channel.VOICE, Evidence(Standing.UNANSWERED, None, at(9)))
    assert page.voice.provider_id == "CA1"


def test_only_a_phone_that_is_known_to_have_rung_or_shown_it_was_reached() -> None:
    assert told(a_page(), Standing.REACHED).reached_a_phone
    assert told(a_page(), Standing.REACHED, channel=Channel.TEXT).reached_a_phone
    assert not told(a_page(), Standing.SUBMITTED, Standing.UNANSWERED).reached_a_phone
    assert not told(a_page(PIA), Standing.REACHED, channel=Channel.PUSH).reached_a_phone


def test_ringing_again_starts_the_voice_anew_and_keeps_what_was_reached() -> None:
    again = rung_again(told(a_page(), Standing.REACHED, Standing.UNANSWERED), at(60))
    assert (again.voice.standing, again.rings, again.reached_a_phone) == (Standing.QUEUED, 2, True)


def test_a_page_is_hopeless_when_declined_or_when_every_channel_failed_for_good() -> None:
    page = a_page(ana)
    assert not told(page, Standing.FAILED).hopeless
    assert told(told(page, Standing.FAILED), Standing.FAILED, channel=Channel.TEXT).hopeless
    assert not told(told(page, Standing.UNANSWERED), Standing.FAILED, channel=Channel.TEXT).hopeless


def test_codes_are_four_digits_drawn_per_page_from_the_escalations_secret() -> None:
    codes = {drawn_code(SEED, PageId(f"esc.{n}")) for n in range(200)}
    assert all(len(code) == 4 and code.isdigit() for code in codes)
    assert len(codes) > 150
    assert drawn_code(SEED, PageId("esc.1")) == drawn_code(SEED, PageId("esc.1"))
    assert drawn_code(SEED, PageId("esc.1")) != drawn_code("another seed", PageId("esc.1"))
