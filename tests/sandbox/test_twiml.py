"""Documents read into verbs."""

import pytest

from sandbox import twiml
from sandbox.twiml import TwimlError, parse


def only(body: str) -> twiml.Verb:
    document = parse(f"<Response>{body}</Response>")
    assert document.warnings == ()
    assert len(document.verbs) == 1
    return document.verbs[0]


@pytest.mark.parametrize(
    ("body", "verb"),
    [
        (
            "<Say voice='alice' language='de-DE'>Guten\n Tag</Say>",
            twiml.Say("Guten Tag", 1, "de-DE", "alice"),
        ),
        ("<Play loop='2'>http://x/y.mp3</Play>", twiml.Play("http://x/y.mp3", 2)),
        ("<Play digits='1w2'/>", twiml.Play(digits="1w2")),
        ("<Pause/>", twiml.Pause(1)),
        ("<Pause length='7'/>", twiml.Pause(7)),
        ("<Redirect method='GET'>/a?b=1&amp;c=2</Redirect>", twiml.Redirect("/a?b=1&c=2", "GET")),
        ("<Hangup/>", twiml.Hangup()),
        ("<Reject reason='busy'/>", twiml.Reject("busy")),
        (
            (
                "<Gather numDigits='2' timeout='9' finishOnKey='' actionOnEmptyResult='true' action='/k'>"
                "<Say>Hi</Say><Pause/></Gather>"
            ),
            twiml.Gather((twiml.Say("Hi"), twiml.Pause()), "/k", "POST", 9, 2, "", True),
        ),
        ("<Dial>+15550000201</Dial>", twiml.Dial((twiml.Number("+15550000201"),))),
        (
            "<Dial timeout='20' callerId='+1'><Number url='/s'>+2</Number><Number>+3</Number></Dial>",
            twiml.Dial((twiml.Number("+2", "/s"), twiml.Number("+3")), timeout_s=20, caller_id="+1"),
        ),
        (
            (
                "<Dial hangupOnStar='true' action='/a' timeLimit='60'>"
                "<Conference participantLabel='x' beep='false' waitUrl='' jitterBufferSize='small' "
                "statusCallback='/c' statusCallbackEvent='join leave'>room</Conference></Dial>"
            ),
            twiml.Dial(
                twiml.Conference(
                    "room",
                    "x",
                    beep="false",
                    wait_url="",
                    jitter_buffer="small",
                    callback=twiml.StatusCallback("/c", "POST", frozenset({"join", "leave"})),
                ),
                "/a",
                time_limit_s=60,
                hangup_on_star=True,
            ),
        ),
        (
            "<Connect><Stream url='wss://x/s' name='n'><Parameter name='a' value='b'/></Stream></Connect>",
            twiml.Connect(
                twiml.Stream(
                    "wss://x/s",
                    "n",
                    parameters=(("a", "b"),),
                )
            ),
        ),
        ("<Message to='+1'><Body>On my way</Body></Message>", twiml.Message("On my way", "+1")),
    ],
)
def test_a_verb_is_read(body: str, verb: twiml.Verb) -> None:
    assert only(body) == verb


@pytest.mark.parametrize(
    "body",
    [
        "<Sing/>",
        "<Say tone='high'>x</Say>",
        "<Gather timeout='soon'/>",
        "<Gather><Dial/></Gather>",
        "<Dial/>",
        "<Connect/>",
        "<Redirect method='PUT'>/a</Redirect>",
        "<Hangup now='true'/>",
    ],
)
def test_what_is_not_known_is_skipped_with_a_warning(body: str) -> None:
    assert parse(f"<Response>{body}<Pause/></Response>").warnings


@pytest.mark.parametrize("text", ["", "hello", "<Response>", "<Play/>", "<Response/><Response/>"])
def test_what_is_no_document_is_an_error(text: str) -> None:
    with pytest.raises(TwimlError) as error:
        parse(text)
    assert error.value.code == 12100


def test_an_empty_response_is_a_document() -> None:
    assert parse("<?xml version='1.0' encoding='UTF-8'?><Response/>").verbs == ()


def test_a_document_beyond_the_limit_is_refused() -> None:
    with pytest.raises(TwimlError):
        parse("<Response><Say>" + "x" * 70_000 + "</Say></Response>")
