"""Sound files of the product: fetched when they are to be played.

WAV of any rate is understood; anything else (MP3, for one) is an alert and is not heard.
"""

from datetime import timedelta

from sandbox.http import Reply
from sandbox.sound import wav
from sandbox.webhooks import Failed, Webhook, Webhooks
from sandbox.world import Clip, World, clip_of

NOTHING = Clip(timedelta(0))


class Clips:
    """See the top of this file. In a network without sound every file lasts as long as the assumption says."""

    def __init__(self, world: World, webhooks: Webhooks) -> None:
        self._world = world
        self._webhooks = webhooks

    @property
    def _unheard(self) -> Clip:
        return Clip(timedelta(seconds=self._world.assumptions.play_s))

    async def fetch(self, url: str, thing: str) -> Clip:
        """The file at that URL; nothing, with an alert, where there is none to be had. thing: the SID it is for."""
        if self._world.studio is None:
            return self._unheard
        reply = await self._webhooks.ask(Webhook("play", "play", url, (), "GET", thing))
        if isinstance(reply, Failed):
            self._world.alert(reply.code, reply.reason, url=url)
            return NOTHING
        return self.of_reply(reply, url)

    def of_reply(self, reply: Reply, url: str) -> Clip:
        """The sound in a reply that is a sound file."""
        if self._world.studio is None:
            return self._unheard
        try:
            return clip_of(wav.read(reply.content))
        except wav.NotASound as error:
            self._world.alert(12300, f"cannot be played: {error}", url=url)
            return NOTHING
