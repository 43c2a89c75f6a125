"""Documents that may only be heard: wait, hold and announcement URLs.

They hold Say, Play, Pause and Redirect; anything else in them is skipped with an alert.
"""

from collections.abc import Callable, Sequence
from datetime import timedelta
from urllib.parse import urljoin

from sandbox import twiml
from sandbox.clock import sleep
from sandbox.http import Reply
from sandbox.legs import Leg, Sound, SoundKind
from sandbox.webhooks import Failed, Params, Webhook, Webhooks
from sandbox.world import World

MOST_REDIRECTS = 10

Hearers = Callable[[], Sequence[Leg]]


class Audio:
    """Plays such documents to one leg or to a room."""

    def __init__(self, world: World, webhooks: Webhooks) -> None:
        self._world = world
        self._webhooks = webhooks

    async def play(
        self,
        purpose: str,
        url: str,
        method: twiml.Method,
        params: Params,
        hearers: Hearers,
        kind: SoundKind,
        thing: str,
    ) -> Failed | None:
        """Play to whoever is there when each sound is over. Gives what failed, if anything."""
        for _ in range(MOST_REDIRECTS):
            webhook = Webhook(purpose, purpose, url, params, method, thing)
            reply = await self._webhooks.ask(webhook)
            if isinstance(reply, Failed):
                return reply
            following = await self._perform(reply, url, hearers, kind)
            if following is None or isinstance(following, Failed):
                return following
            url, method = urljoin(url, following.url), following.method
        return None

    async def _perform(
        self, reply: Reply, url: str, hearers: Hearers, kind: SoundKind
    ) -> twiml.Redirect | Failed | None:
        if reply.content_type.startswith("audio/"):
            await self._sound(f"[{url}]", self._world.play_time(), hearers, kind)
            return None
        try:
            document = twiml.parse(reply.text)
        except twiml.TwimlError as error:
            return Failed(error.code, str(error))
        for verb in document.verbs:
            match verb:
                case twiml.Say(text=text, loop=loop):
                    for _ in range(loop or 1):
                        await self._sound(text, self._world.speech_time(text), hearers, kind)
                case twiml.Play(url=sound, loop=loop):
                    for _ in range(loop or 1):
                        await self._sound(f"[{sound}]", self._world.play_time(), hearers, kind)
                case twiml.Pause(seconds=seconds):
                    await sleep(self._world.clock, timedelta(seconds=seconds))
                case twiml.Redirect():
                    return verb
                case _:
                    name = type(verb).__name__
                    self._world.alert(12200, f"<{name}> cannot stand here", url=url)
        return None

    async def _sound(self, text: str, duration: timedelta, hearers: Hearers, kind: SoundKind) -> None:
        await sleep(self._world.clock, duration)
        for leg in hearers():
            leg.hear(Sound(text, kind))
