from pathlib import Path

import pytest
import yaml

from localkube.controlplane import kubeconfig
from localkube.controlplane.cluster import ExternalCluster
from localkube.errors import DevError


def test_server_and_authority_come_from_the_current_context(tmp_path: Path) -> None:
    document = yaml.safe_load(kubeconfig.with_token_file("https://right:1", b"right", "/t", "ci"))
    other = yaml.safe_load(kubeconfig.with_token_file("https://wrong:1", b"wrong", "/t", "ci"))
    document["clusters"].insert(0, {**other["clusters"][0], "name": "other"})
    file = tmp_path / "config"
    file.write_text(yaml.safe_dump(document))
    cluster = ExternalCluster(tmp_path / "work", file)
    assert (cluster.server, cluster.ca_file.read_bytes(), cluster.kubeconfig) == ("https://right:1", b"right", file)
    assert (dict(cluster.pids), cluster.audit_log) == ({}, None)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "kubectl config view .*"),
        ("", "kubectl config view .*"),
        (
            kubeconfig.with_token_file("https://a:1", b"x", "/t", "ci").replace(
                "certificate-authority-data: eA==", "insecure-skip-tls-verify: true"
            ),
            "has no certificate authority",
        ),
    ],
)
def test_an_unusable_file_is_one_line(tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / "config").write_text(content)
    with pytest.raises(DevError, match=message) as error:
        ExternalCluster(tmp_path, tmp_path / "config")
    assert "\n" not in str(error.value)
