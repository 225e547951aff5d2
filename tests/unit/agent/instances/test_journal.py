from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from anka_agent.instances.journal import Journal

MOMENT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def test_remembers_a_restart(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "instances")
    assert journal.restarted_at("uid") is None
    journal.restarted("uid", MOMENT)
    assert Journal(tmp_path / "instances").restarted_at("uid") == MOMENT


def test_a_damaged_file_is_no_memory(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.restarted("uid", MOMENT)
    for damage in ("", "{", "[]", '{"restarted_at": 5}', '{"restarted_at": "yesterday"}'):
        (tmp_path / "uid" / "restart.json").write_text(damage)
        assert journal.restarted_at("uid") is None


def test_sweep_forgets_all_but_the_living(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "instances")
    assert journal.sweep([]) == []
    for uid in ("a", "b", "c"):
        journal.restarted(uid, MOMENT)
    assert journal.sweep({"b"}) == ["a", "c"]
    assert journal.uids() == ["b"]
    journal.forget("b")
    journal.forget("b")
    assert journal.uids() == []


def test_a_claim_is_remembered_until_it_is_given_up(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    assert journal.claims() == {}
    assert journal.claimed_by("uid") is None
    journal.claim("uid", "vm-1", "token-1")
    journal.restarted("other", MOMENT)
    assert Journal(tmp_path).claims() == {"vm-1": "token-1"}
    assert Journal(tmp_path).claimed_by("uid") == "vm-1"
    journal.unclaim("uid")
    journal.unclaim("uid")
    assert journal.claims() == {}
    (tmp_path / "uid" / "claim.json").write_text('{"vm": 5}')
    assert journal.claims() == {}


def test_saves_go_with_their_instance(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    assert journal.saves("uid") == []
    journal.save("uid", "save-1").write(checked=True)
    assert Journal(tmp_path).saves("uid") == ["save-1"]
    assert Journal(tmp_path).save("uid", "save-1").record.checked
    journal.forget("uid")
    assert journal.saves("uid") == []


def test_remembers_a_grown_container(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "instances")
    assert not journal.grown("uid")
    journal.note_grown("uid")
    assert Journal(tmp_path / "instances").grown("uid")
    journal.forget("uid")
    assert not journal.grown("uid")
