"""The root token: one secret that may do everything (docs/reference/legacy-api.md#basic-auth)."""

import hashlib
import hmac

from anka_runtime.secret_file import SecretFile
from anka_shim.access.credential import BasicCredential
from anka_shim.http.authentication import LoginMethod, Principal

ROOT = Principal("root", is_root=True, method=LoginMethod.ROOT)
_USERS = frozenset({"root", ""})
"""The GitHub actions send no user name."""


class RootTokenCredential:
    def __init__(self, file: SecretFile) -> None:
        self._file = file

    def authenticate(self, credential: BasicCredential) -> Principal | None:
        """None if it is not root's."""
        # Compared in every case: the time does not tell whether the name was right.
        is_right = hmac.compare_digest(credential.password, self._file.content())
        return ROOT if is_right and credential.user in _USERS else None

    def fingerprint(self) -> str:
        """Another one for another token. It is for seals, which do not show it."""
        return hashlib.sha256(b"anka root token " + self._file.content()).hexdigest()
