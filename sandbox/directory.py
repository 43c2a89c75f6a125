"""Who is who: the phones of the town, the account's numbers, its applications."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from sandbox.errors import Unknown
from sandbox.ids import ApplicationSid, NumberSid, named_sid
from sandbox.phones import Phone
from sandbox.twiml import Method
from sandbox.world import World

MOST_PHONES = 100_000
E164 = re.compile(r"\+[1-9]\d{6,14}")


@dataclass
class Hooks:
    """Where calls and messages to a number or an application are asked about."""

    voice_url: str = ""
    voice_method: Method = "POST"
    voice_fallback_url: str = ""
    voice_fallback_method: Method = "POST"
    status_callback: str = ""
    status_callback_method: Method = "POST"
    sms_url: str = ""
    sms_method: Method = "POST"
    sms_fallback_url: str = ""
    sms_fallback_method: Method = "POST"
    message_status_callback: str = ""


@dataclass
class Number:
    """A number of the account. An application, if named, overrides all its voice URLs."""

    sid: NumberSid
    number: str
    name: str
    created: datetime
    updated: datetime
    hooks: Hooks = field(default_factory=Hooks)
    voice_application: ApplicationSid | None = None
    sms_application: ApplicationSid | None = None


@dataclass
class Application:
    sid: ApplicationSid
    name: str
    created: datetime
    updated: datetime
    hooks: Hooks = field(default_factory=Hooks)


class Directory:
    """Looks up phones, numbers and applications."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.numbers: dict[str, Number] = {}
        self.applications: dict[ApplicationSid, Application] = {}
        self._phones: dict[str, Phone] = {}

    def add_number(
        self, number: str, name: str, hooks: Hooks, application: ApplicationSid | None = None
    ) -> Number:
        now = self._world.clock.now()
        owned = Number(
            NumberSid(named_sid("PN", number)), number, name or number, now, now, hooks, application
        )
        self.numbers[number] = owned
        return owned

    def add_application(self, name: str, sid: str | None, hooks: Hooks) -> Application:
        now = self._world.clock.now()
        chosen = ApplicationSid(sid or named_sid("AP", name))
        application = Application(chosen, name, now, now, hooks)
        self.applications[chosen] = application
        return application

    def add_phone(self, number: str, name: str = "") -> Phone:
        """The phone of that number, made if there is none."""
        phone = self._phones.get(number)
        if phone is None and len(self._phones) >= MOST_PHONES:
            message = f"a town has {MOST_PHONES} phones at the most"
            raise ValueError(message)
        if phone is None:
            phone = self._phones[number] = Phone(number, name or number)
        elif name:
            phone.name = name
        return phone

    def phone(self, name_or_number: str) -> Phone:
        """Raises Unknown."""
        found = self.find_phone(name_or_number)
        if found is None:
            message = f"no phone {name_or_number!r} in this town"
            raise Unknown(message)
        return found

    def find_phone(self, name_or_number: str) -> Phone | None:
        if name_or_number in self._phones:
            return self._phones[name_or_number]
        named = (phone for phone in self._phones.values() if phone.name == name_or_number)
        return next(named, None)

    def phone_at(self, number: str) -> Phone | None:
        return self._phones.get(number)

    def phones(self) -> Iterator[Phone]:
        return iter(self._phones.values())

    def number_by_sid(self, sid: str) -> Number | None:
        return next((owned for owned in self.numbers.values() if owned.sid == sid), None)

    def application_named(self, name: str) -> Application | None:
        return next((app for app in self.applications.values() if app.name == name), None)

    def voice_hooks(self, number: Number) -> Hooks:
        """The number's own, or its application's."""
        application = self.applications.get(number.voice_application or ApplicationSid(""))
        return number.hooks if application is None else application.hooks

    def sms_hooks(self, number: Number) -> Hooks:
        application = self.applications.get(number.sms_application or ApplicationSid(""))
        return number.hooks if application is None else application.hooks
