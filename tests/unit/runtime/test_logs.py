import json
import logging

import pytest

from anka_runtime import logs


def test_json_has_fields_and_context(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("INFO", "json")
    with logs.context(instance="i-1", node="mac-01"):
        logging.getLogger("anka.x").info("started", extra={"ms": 5})
    logging.getLogger("anka.x").debug("not shown")
    [line] = capsys.readouterr().err.splitlines()
    record = json.loads(line)
    assert {key: record[key] for key in ("level", "logger", "message", "ms", "instance", "node")} == {
        "level": "INFO",
        "logger": "anka.x",
        "message": "started",
        "ms": 5,
        "instance": "i-1",
        "node": "mac-01",
    }
    assert "ts" in record


def test_context_ends_with_its_block_and_nests(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("INFO", "json")
    with logs.context(instance="outer"):
        with logs.context(instance="inner", step="clone"):
            logging.info("a")
        logging.info("b")
    logging.info("c")
    records = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [(r.get("instance"), r.get("step")) for r in records] == [("inner", "clone"), ("outer", None), (None, None)]


def test_text_shows_the_fields(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("INFO", "text")
    with logs.context(node="mac-01"):
        logging.getLogger("anka").warning("lost", extra={"seconds": 40})
    line = capsys.readouterr().err.strip()
    assert "WARNING" in line
    assert line.endswith("anka lost seconds=40 node=mac-01")
