"""The key that the replicas of this shim share, and what is signed with it."""

import logging
import secrets
from pathlib import Path

from anka_runtime.clock import Clock
from anka_runtime.repetition import CAUSE
from anka_runtime.secret_file import SecretFile
from anka_shim import metrics
from anka_shim.replicas.signature import (
    ForgedError,
    QuestionCheck,
    check_answer,
    sign_answer,
    sign_question,
)
from anka_shim.settings import SHORTEST_KEY

log = logging.getLogger(__name__)


class PeerKey:
    """`path` None: nothing is signed, and nothing is demanded. Raises ValueError for a file that is no key.

    The file is read again: while two replicas have different keys, they do not wait for each other."""

    def __init__(self, path: Path | None, clock: Clock) -> None:
        self._file = None if path is None else SecretFile(path, clock, shortest=SHORTEST_KEY)
        self._clock = clock
        self._questions = QuestionCheck()

    @property
    def is_set(self) -> bool:
        return self._file is not None

    def sign_question(self, method: str, target: str) -> str:
        """The header of a question that is asked now; empty without a key."""
        if self._file is None:
            return ""
        return sign_question(self._file.content(), self._now(), secrets.token_hex(16), method, target)

    def check_question(self, header: str, method: str, target: str, client: str) -> bool:
        """Whether another replica has asked this, now and for the first time."""
        if self._file is None:
            return True
        try:
            self._questions.check(self._file.content(), self._now(), header, method, target)
        except ForgedError as error:
            metrics.REFUSED_PEERS.inc()
            log.warning("a question about our watches is refused: %s", error, extra={"client": client, CAUSE: client})
            return False
        return True

    def sign_answer(self, question: str, body: bytes) -> str:
        """`question`: its header. Empty without a key."""
        return "" if self._file is None else sign_answer(self._file.content(), question, body)

    def check_answer(self, question: str, body: bytes, header: str) -> None:
        """Raises ForgedError."""
        if self._file is not None:
            check_answer(self._file.content(), question, body, header)

    def _now(self) -> float:
        return self._clock.now().timestamp()
