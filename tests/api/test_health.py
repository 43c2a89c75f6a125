"""Whether the door is alive, and what it is missing."""

import shutil
from pathlib import Path

from fastapi.openapi.utils import get_openapi

from configuration.holder import ConfigurationFile
from tests.api.house import House


async def test_ready_with_temporal(house: House) -> None:
    answer = await house.browser.get("/ready")
    assert answer.status_code == 200
    assert answer.json() == {"ready": True, "temporal": True, "configuration": "file", "spool": 0}


async def test_a_file_that_breaks_while_running_is_told_and_the_running_one_stays(
    house: House, tmp_path: Path
) -> None:
    file = tmp_path / "rung.yaml"
    shutil.copy(Path(__file__).with_name("night.yaml"), file)
    held = ConfigurationFile(file, tmp_path / "good.yaml")
    file.write_text("lines: broken\n")
    object.__setattr__(house.desk, "configuration", held)
    answer = await house.browser.get("/ready")
    assert (answer.status_code, answer.json()["configuration"]) == (200, "running, the file is broken")


async def test_started_with_the_last_good_file_is_told(house: House, tmp_path: Path) -> None:
    shutil.copy(Path(__file__).with_name("night.yaml"), tmp_path / "good.yaml")
    held = ConfigurationFile(tmp_path / "missing.yaml", tmp_path / "good.yaml")
    object.__setattr__(house.desk, "configuration", held)
    assert (await house.browser.get("/ready")).json()["configuration"] == "last good"


async def test_alive_without_temporal(temporal_down: House) -> None:
    assert (await temporal_down.browser.get("/health")).json() == {"status": "alive"}
    assert (await temporal_down.browser.get("/ready")).status_code == 503


async def test_the_routes_describe_themselves(house: House) -> None:
    described = get_openapi(title="x", version="1", routes=house.app.routes)
    form = described["paths"]["/voice/incoming"]["post"]["requestBody"]["content"]
    assert "application/x-www-form-urlencoded" in form
    assert "Alert" in described["components"]["schemas"]
    ids = [one["operationId"] for path in described["paths"].values() for one in path.values()]
    assert len(ids) == len(set(ids))
