"""The town of the shells' stories."""

from tests.shells.conftest import pytest_collection_modifyitems, town

__all__ = ["pytest_collection_modifyitems", "town"]
