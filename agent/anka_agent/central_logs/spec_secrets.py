"""What the specs of instances and saves hold that no log may show: known from the moment the agent sees the object,
also after a restart of the agent, until the object is gone."""

import base64
import binascii
import contextlib

from anka_crds.api import AnkaInstance, SaveImage
from anka_kube.store import EventType, Store
from anka_registry.central_logs.secret_filter import SecretFilter


def follow_instances(store: Store[AnkaInstance], hidden: SecretFilter) -> None:
    """To be called before the first list: what is in the store already is not looked at."""

    def on_instance(_: EventType, old: AnkaInstance | None, new: AnkaInstance | None) -> None:
        if new is None:
            if old is not None:
                hidden.forget(old.metadata.uid)
            return
        script, password = new.spec.startup_script, new.spec.vnc_password
        if script is not None and script.content is not None and old is None:
            _learn_script(new.metadata.uid, script.content, hidden)
        if password is not None and (old is None or old.spec.vnc_password != password):
            hidden.learn(new.metadata.uid, "vncPassword", password)

    store.subscribe(on_instance)


def follow_saves(store: Store[SaveImage], hidden: SecretFilter) -> None:
    """As for instances. The script of a save cannot be changed."""

    def on_save(_: EventType, old: SaveImage | None, new: SaveImage | None) -> None:
        if new is None:
            if old is not None:
                hidden.forget(old.metadata.uid)
        elif old is None and new.spec.script is not None:
            _learn_script(new.metadata.uid, new.spec.script, hidden)

    store.subscribe(on_save)


def _learn_script(owner: str, content: str, hidden: SecretFilter) -> None:
    # What is not base64 is not run.
    with contextlib.suppress(binascii.Error):
        hidden.learn(owner, "script", base64.b64decode(content))
