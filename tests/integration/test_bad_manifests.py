"""What kubectl says to manifests, good and bad: the real kubectl, the real apiserver."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from anka_crds.api import KINDS
from localkube.controlplane import KubernetesCluster
from localkube.errors import DevError
from support.manifests import Row, load

pytestmark = pytest.mark.integration
TABLE = load()
APPLY = ("apply", "--dry-run=server", "--validate=strict", "--filename")


def created(rows: list[Row]) -> list[Row]:
    return [row for row in rows if row.before is None]


def updated(rows: list[Row]) -> list[Row]:
    return [row for row in rows if row.before is not None]


@contextmanager
def existing(cluster: KubernetesCluster, row: Row) -> Iterator[None]:
    """The object as it was before the change."""
    assert row.before is not None
    cluster.kubectl.run("apply", "-f-", stdin=json.dumps(row.before))
    try:
        yield
    finally:
        where = [row.kind, row.before["metadata"]["name"], f"-n{row.before['metadata'].get('namespace', 'default')}"]
        cluster.kubectl.run("delete", *where, "--wait=false")
        if row.kind == "AnkaInstance":
            cluster.kubectl.run("patch", *where, "--type=merge", '--patch={"metadata":{"finalizers":null}}')


@pytest.fixture(scope="module")
def errors(served_kinds: KubernetesCluster, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What kubectl says of each new manifest, by its id; nothing of those that it takes. One call for all: each call
    costs a tenth of a second of CPU."""
    folder = tmp_path_factory.mktemp("manifests")
    for row in (*TABLE.accepted, *TABLE.refused):
        if row.before is None:
            (folder / f"{row.id}.json").write_text(json.dumps(row.manifest))
    with pytest.raises(DevError) as refusal:
        served_kinds.kubectl.run(*APPLY, str(folder))
    said: dict[str, str] = {}
    for part in re.split(r"(?=Error from server)", str(refusal.value))[1:]:
        named = re.search(r"/(manifest-\d+)\.json", part)
        assert named, part
        said[named[1]] = part
    return said


def changed(cluster: KubernetesCluster, row: Row) -> None:
    cluster.kubectl.run(*APPLY, "-", stdin=json.dumps(row.manifest))


def test_the_table_is_large_and_covers_all_kinds() -> None:
    assert len(TABLE.refused) >= 50
    assert len({row.kind for row in TABLE.refused}) == len({row.kind for row in TABLE.accepted}) == len(KINDS)
    for row in TABLE.refused:
        # Each names the field, by its path.
        assert "spec" in row.says or "metadata." in row.says or "must be base64" in row.says, row


@pytest.mark.parametrize("row", created(TABLE.refused), ids=str)
def test_refused(row: Row, errors: dict[str, str]) -> None:
    assert row.says in errors[row.id]


@pytest.mark.parametrize("row", created(TABLE.accepted), ids=str)
def test_accepted(row: Row, errors: dict[str, str]) -> None:
    assert errors.get(row.id) is None


@pytest.mark.parametrize("row", updated(TABLE.refused), ids=str)
def test_refused_change(row: Row, served_kinds: KubernetesCluster) -> None:
    with existing(served_kinds, row), pytest.raises(DevError) as refusal:
        changed(served_kinds, row)
    assert row.says in str(refusal.value)


@pytest.mark.parametrize("row", updated(TABLE.accepted), ids=str)
def test_accepted_change(row: Row, served_kinds: KubernetesCluster) -> None:
    with existing(served_kinds, row):
        changed(served_kinds, row)


def test_one_bad_manifest_gets_one_line(served_kinds: KubernetesCluster) -> None:
    """As a person sees it, who applies one file."""
    (row,) = (row for row in TABLE.refused if row.name == "disk in GB")
    with pytest.raises(DevError) as refusal:
        changed(served_kinds, row)
    assert str(refusal.value).endswith(
        f'The AnkaInstance "{row.id}" is invalid: spec.disk.size: Invalid value: "12GB": '
        "must be a whole number followed by T, G, M or K: 256G"
    )
