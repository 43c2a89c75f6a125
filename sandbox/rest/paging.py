"""Twilio's page envelope around a list."""

from collections.abc import Callable, Iterable
from itertools import islice
from typing import TypeVar
from urllib.parse import urlencode

from sandbox.rest.asking import Answer, Asked

DEFAULT_PAGE, LARGEST_PAGE, LAST_PAGE = 50, 1_000, 100_000

T = TypeVar("T")


def page(asked: Asked, plural: str, items: Iterable[T], render: Callable[[T], dict[str, object]]) -> Answer:
    """One page of the items, newest first as given."""
    size = min(asked.query.whole("PageSize", DEFAULT_PAGE, 1, 1_000_000), LARGEST_PAGE)
    number = asked.query.whole("Page", 0, 0, LAST_PAGE)
    start = number * size
    shown = list(islice(items, start, start + size + 1))
    more, shown = len(shown) > size, shown[:size]

    def uri(which: int) -> str:
        kept = {
            name: value
            for name, value in asked.query.as_json().items()
            if name not in {"Page", "PageSize", "PageToken"}
        }
        fields = kept | {"PageSize": size, "Page": which}
        return f"{asked.path}?{urlencode(fields, doseq=True)}"

    return Answer(
        200,
        {
            plural: [render(item) for item in shown],
            "first_page_uri": uri(0),
            "next_page_uri": uri(number + 1) if more else None,
            "previous_page_uri": uri(number - 1) if number else None,
            "uri": uri(number),
            "page": number,
            "page_size": size,
            "start": start,
            "end": start + max(0, len(shown) - 1),
        },
    )
