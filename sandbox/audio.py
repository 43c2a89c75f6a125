"""Documents that may only be heard: wait, hold and announcement URLs.

They hold Say, Play, Pause and Redirect; anything else in them is skipped with an alert.
"""

import asyncio
from collections.abc import Callable, Sequence
from datetime import timedelta
from urllib.parse import urljoin

from sandbox import twiml
from sandbox.clips import Clips
from sandbox.clock import sleep
from sandbox.hearing import Sound, SoundKind
from sandbox.http import Reply
from sandbox.legs import Emission, Leg
from sandbox.webhooks import Failed, Params, Webhook, Webhooks
from sandbox.world import Clip, World

MOST_REDIRECTS = 10

Hearers = Callable[[], Sequence[Leg]]


class Audio:
    """Plays such documents to one leg or to a room."""

    def __init__(self, world: World, webhooks: Webhooks, clips: Clips) -> None:
        self._world = world
        self._webhooks = webhooks
        self._clips = clips

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
            following = await self._perform(reply, url, hearers, kind, thing)
            if following is None or isinstance(following, Failed):
                return following
            url, method = urljoin(url, following.url), following.method
        return None

    async def _perform(
        self, reply: Reply, url: str, hearers: Hearers, kind: SoundKind, thing: str
    ) -> twiml.Redirect | Failed | None:
        if reply.content_type.startswith("audio/"):
            await self._sound(f"[{url}]", self._clips.of_reply(reply, url), hearers, kind)
            return None
        try:
            document = twiml.parse(reply.text)
        except twiml.TwimlError as error:
            return Failed(error.code, str(error))
        for verb in document.verbs:
            match verb:
                case twiml.Say(text=text, loop=loop):
                    clip = await self._world.spoken(text, verb.language, verb.voice)
                    for _ in range(loop or 1):
                        await self._sound(text, clip, hearers, kind)
                case twiml.Play(url=sound, loop=loop):
                    clip = await self._clips.fetch(urljoin(url, sound), thing)
                    for _ in range(loop or 1):
                        await self._sound(f"[{sound}]", clip, hearers, kind)
                case twiml.Pause(seconds=seconds):
                    await sleep(self._world.clock, timedelta(seconds=seconds))
                case twiml.Redirect():
                    return verb
                case _:
                    name = type(verb).__name__
                    self._world.alert(12200, f"<{name}> cannot stand here", url=url)
        return None

    async def _sound(self, text: str, clip: Clip, hearers: Hearers, kind: SoundKind) -> None:
        """With sound, it is for those who are there from its beginning; texts reach whoever is there at its end."""
        if clip.samples is None:
            await sleep(self._world.clock, clip.duration)
            for leg in hearers():
                leg.hear(Sound(text, kind))
            return
        alone = kind == "announcement" and self._world.assumptions.announcement == "replace"
        emissions = [Emission(leg, Sound(text, kind), clip, alone=alone) for leg in hearers()]
        try:
            await sleep(self._world.clock, clip.duration)
        except asyncio.CancelledError:
            for emission in emissions:
                emission.cut()
            raise
        for emission in emissions:
            emission.finish()
