"""Every order of the workflows has an implementation of the same name, input and output."""

import inspect
from collections.abc import Callable
from typing import Any, get_type_hints

import pytest
from temporalio import activity

from activities.calls import Calls
from activities.incidents import OpenIncidents
from activities.notices import Notices
from activities.plans import Plans
from activities.relays import Relays
from activities.rooms import Rooms
from activities.texts import Texts
from bridge.driver import Driver
from workflows.orders import ORDERS, Order

CARRIERS = (Calls, Rooms, Texts, Notices, Plans, Relays, OpenIncidents, Driver)


def implementations() -> dict[str, Callable[..., Any]]:
    """Every activity of ours by its name."""
    found: dict[str, Callable[..., Any]] = {}
    for carrier in CARRIERS:
        for _, method in inspect.getmembers(carrier, inspect.isfunction):
            definition = activity._Definition.from_callable(method)  # pyright: ignore[reportPrivateUsage]
            if definition is not None and definition.name is not None:
                assert definition.name not in found
                found[definition.name] = method
    return found


@pytest.mark.parametrize("order", ORDERS, ids=lambda order: order.name)
def test_every_order_has_an_implementation_that_takes_and_gives_what_it_says(order: Order[Any, Any]) -> None:
    method = implementations()[order.name]

    hints = get_type_hints(method)
    gives = hints.pop("return")

    assert list(hints.values()) == [order.takes]
    assert gives is order.gives
    assert inspect.iscoroutinefunction(method)


def test_there_is_no_activity_that_nobody_orders() -> None:
    assert set(implementations()) == {order.name for order in ORDERS}


@pytest.mark.parametrize("order", ORDERS, ids=lambda order: order.name)
def test_every_activity_says_what_a_repeat_does(order: Order[Any, Any]) -> None:
    text = inspect.getdoc(implementations()[order.name]) or ""

    assert "repeat" in text.lower(), f"{order.name} does not say what a repeat does"
