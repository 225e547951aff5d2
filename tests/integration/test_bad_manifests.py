"""What kubectl says to manifests, good and bad: the real kubectl, the real apiserver."""

import json
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from anka_dev.controlplane import Cluster
from anka_dev.errors import DevError
from support.manifests import Row, load

pytestmark = pytest.mark.integration
TABLE = load()


@contextmanager
def existing(cluster: Cluster, row: Row) -> Iterator[None]:
    """The object as it was before, if the row is about a change."""
    if row.before is None:
        yield
        return
    cluster.kubectl.run("apply", "-f-", stdin=json.dumps(row.before))
    try:
        yield
    finally:
        where = [row.kind, row.before["metadata"]["name"], f"-n{row.before['metadata'].get('namespace', 'default')}"]
        cluster.kubectl.run("delete", *where, "--wait=false")
        if row.kind == "AnkaInstance":
            cluster.kubectl.run("patch", *where, "--type=merge", '--patch={"metadata":{"finalizers":null}}')


def applied(cluster: Cluster, row: Row) -> None:
    cluster.kubectl.run("apply", "--dry-run=server", "--validate=strict", "-f-", stdin=json.dumps(row.manifest))


def test_the_table_is_large_and_covers_all_kinds() -> None:
    assert len(TABLE.refused) >= 50
    assert len({row.kind for row in TABLE.refused}) == len({row.kind for row in TABLE.accepted}) == 6
    for row in TABLE.refused:
        # Each names the field, by its path.
        assert "spec" in row.says or "metadata." in row.says or "must be base64" in row.says, row


@pytest.mark.parametrize("row", TABLE.refused, ids=str)
def test_refused(row: Row, served_kinds: Cluster) -> None:
    with existing(served_kinds, row), pytest.raises(DevError) as refusal:
        applied(served_kinds, row)
    assert row.says in str(refusal.value)


@pytest.mark.parametrize("row", TABLE.accepted, ids=str)
def test_accepted(row: Row, served_kinds: Cluster) -> None:
    with existing(served_kinds, row):
        applied(served_kinds, row)
