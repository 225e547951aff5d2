from pathlib import Path

import pytest

from localkube.controlplane import ports
from localkube.controlplane.commands import Ports
from localkube.free_ports import bind


def numbers(chosen: Ports) -> list[int]:
    return [chosen.api, chosen.etcd_client, chosen.etcd_peer]


def test_three_different_free_ports() -> None:
    chosen = numbers(ports.pick())
    assert len(set(chosen)) == 3
    for number in chosen:
        with bind(number) as listener:
            listener.listen()


def test_the_same_ports_again(tmp_path: Path) -> None:
    file = tmp_path / "ports.json"
    assert ports.load_or_pick(file) == ports.load_or_pick(file)


def test_others_when_one_is_taken(tmp_path: Path) -> None:
    file = tmp_path / "ports.json"
    first = ports.load_or_pick(file)
    with bind(first.etcd_client) as taken:
        taken.listen()
        second = ports.load_or_pick(file)
    assert first.etcd_client not in numbers(second)
    assert ports.load_or_pick(file) == second


@pytest.mark.parametrize("content", ["", "garbage", "[]", "{}", '{"api": 1}'])
def test_a_damaged_file_is_replaced(tmp_path: Path, content: str) -> None:
    file = tmp_path / "ports.json"
    file.write_text(content)
    chosen = ports.load_or_pick(file)
    assert ports.load_or_pick(file) == chosen
