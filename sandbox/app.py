"""The sandbox as one ASGI application: Twilio's REST API and the control API."""

from starlette.applications import Starlette

from sandbox.control import Control
from sandbox.network import Network
from sandbox.rest.routes import Connections, rest_routes


def create_app(network: Network, connections: Connections | None = None) -> Starlette:
    """connections: whoever can cut a client off, for the fault `reply_dropped`."""
    control = Control(network)
    routes = [*rest_routes(network, connections), *control.routes(), *control.sockets()]
    return Starlette(routes=routes)
