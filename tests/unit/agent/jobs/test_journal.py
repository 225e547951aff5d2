from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from anka_agent.jobs import journal as journal_module
from anka_agent.jobs.journal import Journal, VmRecord
from support.faulty_mac import fill_disk

MOMENT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def test_remembers_a_restart(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "instances")
    assert journal.last_restart("uid") is None
    journal.record_restart("uid", MOMENT)
    assert Journal(tmp_path / "instances").last_restart("uid") == MOMENT


def test_a_damaged_file_is_no_memory(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.record_restart("uid", MOMENT)
    for damage in ("", "{", "[]", '{"restarted_at": 5}', '{"restarted_at": "yesterday"}'):
        (tmp_path / "uid" / "restart.json").write_text(damage)
        assert journal.last_restart("uid") is None


def test_sweep_forgets_all_but_the_living(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "instances")
    assert journal.sweep([]) == []
    for uid in ("a", "b", "c"):
        journal.record_restart(uid, MOMENT)
    assert journal.sweep({"b"}) == ["a", "c"]
    assert journal.uids() == ["b"]
    journal.forget("b")
    journal.forget("b")
    assert journal.uids() == []


def test_a_vm_is_remembered_until_it_is_deleted(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    assert journal.find_vm("uid") is None
    journal.record_vm("uid", "x-1")
    journal.record_restart("other", MOMENT)
    assert (journal.find_vm("uid"), journal.owners) == (VmRecord("x-1"), {})
    journal.record_vm("uid", "x-1", "vm-1")
    assert journal.find_vm("uid") == VmRecord("x-1", "vm-1")
    assert journal.owners == Journal(tmp_path).owners == {"vm-1": "uid"}
    journal.record_vm("uid", "x-2", "vm-2")
    assert journal.owners == {"vm-2": "uid"}, "one VM for each instance"
    journal.forget_vm("uid")
    journal.forget_vm("uid")
    assert (journal.find_vm("uid"), journal.owners) == (None, {})
    for damage in ("", "[]", '{"name": 5}', '{"name": "", "uuid": "vm-1"}'):
        (tmp_path / "uid" / "vm.json").write_text(damage)
        again = Journal(tmp_path)
        assert (again.find_vm("uid"), again.owners) == (None, {})
    journal.record_vm("uid", "x-1", "vm-1")
    assert Journal(tmp_path).find_vm("uid") == VmRecord("x-1", "vm-1")
    journal.forget("uid")
    assert (journal.find_vm("uid"), journal.owners) == (None, {})


def test_the_records_of_vms_are_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Journal(tmp_path).record_vm("uid", "x-1", "vm-1")
    journal = Journal(tmp_path)
    monkeypatch.setattr(journal_module, "read_json", lambda path: pytest.fail(f"reads {path}"))
    assert [journal.find_vm(uid) for uid in ("uid", "other")] == [VmRecord("x-1", "vm-1"), None]


def test_a_full_disk_takes_no_vm_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = Journal(tmp_path)
    fill_disk(monkeypatch)
    with pytest.raises(OSError, match="No space left"):
        journal.record_vm("uid", "x-1", "vm-1")
    assert journal.owners == {"vm-1": "uid"}
    assert journal.find_vm("uid") is None, "the next agent will not know it"


def test_saves_go_with_their_instance(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    assert journal.saves("uid") == []
    journal.save("uid", "save-1").write(checked=True)
    assert Journal(tmp_path).saves("uid") == ["save-1"]
    assert Journal(tmp_path).save("uid", "save-1").record.checked
    journal.forget("uid")
    assert journal.saves("uid") == []


def test_knows_whether_a_save_begun_here_has_no_end(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    assert not journal.has_unfinished_saves()
    for name in ("save-1", "save-2"):
        journal.save("uid", name).write()
    journal.save("uid", "save-1").write(finished=True)
    assert Journal(tmp_path).has_unfinished_saves()
    journal.save("uid", "save-2").write(finished=True)
    assert not Journal(tmp_path).has_unfinished_saves()


def test_remembers_a_grown_container(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "instances")
    assert not journal.is_grown("uid")
    journal.record_growth("uid")
    assert Journal(tmp_path / "instances").is_grown("uid")
    journal.forget("uid")
    assert not journal.is_grown("uid")
