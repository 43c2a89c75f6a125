"""The contract names everything there is."""

from dataclasses import fields
from pathlib import Path

import pytest

from sandbox.assumptions import Assumptions
from sandbox.control import Control
from sandbox.faults import FaultKind
from sandbox.journal import Kind
from sandbox.network import Network

CONTRACT = (Path(__file__).parents[2] / "docs/sandbox.md").read_text()


@pytest.mark.parametrize("field", [field.name for field in fields(Assumptions)])
def test_every_assumption_has_its_row(field: str) -> None:
    assert f"| `{field}` |" in CONTRACT


@pytest.mark.parametrize("kind", [*Kind, *FaultKind])
def test_every_kind_of_record_and_fault_is_named(kind: str) -> None:
    assert f"`{kind}`" in CONTRACT


async def test_every_request_of_the_control_api_is_named() -> None:
    for route in Control(Network()).routes():
        path = route.path.rpartition("/")[2] if "/calls/" in route.path else route.path
        assert path in CONTRACT


def test_every_assumption_has_the_default_the_contract_says() -> None:
    for field in fields(Assumptions):
        row = next(line for line in CONTRACT.splitlines() if line.startswith(f"| `{field.name}` |"))
        said = row.split("|")[2].strip().strip("`")
        default: object = getattr(Assumptions(), field.name)
        match default:
            case bool():
                assert said == str(default).lower()
            case int() | float():
                assert float(said) == default
            case frozenset():
                assert {word.strip() for word in said.split(",")} == default
            case _:
                assert said == default
