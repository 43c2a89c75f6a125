"""A stand-in for the product: a real HTTP server that says what a test tells it to say."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web

TwimlOf = Callable[["Request"], str | web.Response | Awaitable[str | web.Response]]


@dataclass(frozen=True)
class Request:
    """One webhook as it arrived."""

    method: str
    path: str
    url: str
    form: Mapping[str, str]
    pairs: tuple[tuple[str, str], ...]
    headers: Mapping[str, str]


@dataclass
class Product:
    """Answers by path; remembers everything asked. `url` is its address."""

    url: str = ""
    pages: dict[str, str | TwimlOf] = field(default_factory=dict[str, "str | TwimlOf"])
    requests: list[Request] = field(default_factory=list[Request])

    def says(self, path: str, twiml: str | TwimlOf) -> str:
        """From now on that path answers so. Gives its URL."""
        self.pages[path] = twiml
        return self.url + path

    def asked(self, path: str) -> list[Request]:
        return [request for request in self.requests if request.path == path]

    def events(self, path: str, name: str) -> list[str]:
        """That field of every request to the path."""
        return [request.form.get(name, "") for request in self.asked(path)]

    async def handle(self, incoming: web.Request) -> web.Response:
        form = await incoming.post()
        pairs = tuple((name, str(value)) for name, value in form.items())
        request = Request(
            incoming.method,
            incoming.path,
            str(incoming.url),
            dict(pairs) | dict(incoming.query),
            pairs,
            dict(incoming.headers),
        )
        self.requests.append(request)
        page = self.pages.get(incoming.path)
        if page is None:
            return web.Response(status=204)
        answer = page if isinstance(page, str) else page(request)
        if not isinstance(answer, str | web.Response):
            answer = await answer
        if isinstance(answer, str):
            text = f"<Response>{answer}</Response>"
            return web.Response(text=text, content_type="text/xml")
        return answer


@asynccontextmanager
async def running_product() -> AsyncGenerator[Product]:
    product = Product()
    app = web.Application()
    app.router.add_route("*", "/{rest:.*}", product.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    product.url = site.name.replace("localhost", "127.0.0.1")
    port = runner.addresses[0][1]
    product.url = f"http://127.0.0.1:{port}"
    try:
        yield product
    finally:
        await runner.cleanup()
        await asyncio.sleep(0)
