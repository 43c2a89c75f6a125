"""What the account owns: Applications, IncomingPhoneNumbers and Recordings."""

from dataclasses import fields

from sandbox.directory import E164, Application, Hooks, Number
from sandbox.errors import Refused
from sandbox.ids import ApplicationSid, named_sid
from sandbox.recordings import Recording
from sandbox.rest.asking import Answer, Asked, Form
from sandbox.rest.paging import page
from sandbox.rest.render import Json, application_json, number_json, recording_json

MOST_OF_EACH = 1_000


def _pascal(name: str) -> str:
    return "".join(word.capitalize() for word in name.split("_"))


def _set_hooks(hooks: Hooks, form: Form) -> None:
    """Take over every hook the form mentions."""
    for field in fields(Hooks):
        parameter = _pascal(field.name)
        if parameter not in form:
            continue
        if field.name.endswith("_method"):
            setattr(hooks, field.name, form.method(parameter))
        else:
            setattr(hooks, field.name, form.text(parameter) or "")


# ── Applications ──────────────────────────────────────────────────────────────────────


def _application_json(asked: Asked, application: Application) -> Json:
    return application_json(asked.network.world.account.sid, application)


def create_application(asked: Asked) -> Answer:
    directory = asked.network.directory
    if len(directory.applications) >= MOST_OF_EACH:
        raise Refused(400, 21218, "Too many applications")
    name = asked.form.text("FriendlyName") or f"application {len(directory.applications) + 1}"
    sid = named_sid("AP", f"{name}/{len(directory.applications)}")
    application = directory.add_application(name, sid, Hooks())
    _set_hooks(application.hooks, asked.form)
    return Answer(201, _application_json(asked, application))


def list_applications(asked: Asked) -> Answer:
    name = asked.query.text("FriendlyName")
    found = (
        application
        for application in asked.network.directory.applications.values()
        if name is None or application.name == name
    )
    return page(asked, "applications", found, lambda app: _application_json(asked, app))


def _application(asked: Asked) -> Application:
    sid = ApplicationSid(asked.place["sid"])
    application = asked.network.directory.applications.get(sid)
    if application is None:
        raise asked.not_found()
    return application


def fetch_application(asked: Asked) -> Answer:
    return Answer(200, _application_json(asked, _application(asked)))


def update_application(asked: Asked) -> Answer:
    application = _application(asked)
    application.name = asked.form.text("FriendlyName") or application.name
    application.updated = asked.network.clock.now()
    _set_hooks(application.hooks, asked.form)
    return Answer(200, _application_json(asked, application))


def delete_application(asked: Asked) -> Answer:
    del asked.network.directory.applications[_application(asked).sid]
    return Answer(204, None)


# ── IncomingPhoneNumbers ──────────────────────────────────────────────────────────────


def _number_json(asked: Asked, number: Number) -> Json:
    return number_json(asked.network.world.account.sid, number)


def create_number(asked: Asked) -> Answer:
    number = asked.form.need("PhoneNumber", 21404)
    directory = asked.network.directory
    if not E164.fullmatch(number):
        raise Refused(400, 21421, f"PhoneNumber is invalid: {number}")
    if number in directory.numbers or len(directory.numbers) >= MOST_OF_EACH:
        raise Refused(400, 21422, f"PhoneNumber is not available: {number}")
    owned = directory.add_number(number, "", Hooks())
    _change_number(asked, owned)
    return Answer(201, _number_json(asked, owned))


def list_numbers(asked: Asked) -> Answer:
    number, name = asked.query.text("PhoneNumber"), asked.query.text("FriendlyName")
    found = (
        owned
        for owned in asked.network.directory.numbers.values()
        if (number is None or owned.number == number) and (name is None or owned.name == name)
    )
    return page(asked, "incoming_phone_numbers", found, lambda owned: _number_json(asked, owned))


def _number(asked: Asked) -> Number:
    owned = asked.network.directory.number_by_sid(asked.place["sid"])
    if owned is None:
        raise asked.not_found()
    return owned


def fetch_number(asked: Asked) -> Answer:
    return Answer(200, _number_json(asked, _number(asked)))


def update_number(asked: Asked) -> Answer:
    owned = _number(asked)
    _change_number(asked, owned)
    return Answer(200, _number_json(asked, owned))


def _change_number(asked: Asked, owned: Number) -> None:
    form = asked.form
    owned.name = form.text("FriendlyName") or owned.name
    owned.updated = asked.network.clock.now()
    if "VoiceApplicationSid" in form:
        sid = form.text("VoiceApplicationSid")
        owned.voice_application = ApplicationSid(sid) if sid else None
    if "SmsApplicationSid" in form:
        sid = form.text("SmsApplicationSid")
        owned.sms_application = ApplicationSid(sid) if sid else None
    _set_hooks(owned.hooks, form)


def delete_number(asked: Asked) -> Answer:
    del asked.network.directory.numbers[_number(asked).number]
    return Answer(204, None)


# ── Recordings ────────────────────────────────────────────────────────────────────────


def find_recording(asked: Asked) -> Recording:
    recording = asked.network.recordings.get(asked.place["sid"])
    if recording is None:
        raise asked.not_found()
    return recording


def fetch_recording(asked: Asked) -> Answer:
    recording = find_recording(asked)
    return Answer(200, recording_json(asked.network.world.account.sid, recording))
