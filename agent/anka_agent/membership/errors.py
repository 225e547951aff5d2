"""What keeps a Mac from joining or leaving, in one line that says what to do."""

from anka_agent.identity.tokens import Claims
from anka_crds.api.defaults import JOINING_NAMESPACE
from anka_kube.errors import ApiError, Forbidden, NotFound, Unauthorized, Unreachable

NEW_TOKEN = (
    f"`kubectl create serviceaccount NAME --namespace {JOINING_NAMESPACE}` and `kubectl create token NAME "
    f"--namespace {JOINING_NAMESPACE} --duration 1h` make one for the Mac NAME"
)
POLICY = "ValidatingAdmissionPolicy"
"""Is in what a policy answers. Without it RBAC has refused: the token is of a ServiceAccount that lets nobody in."""


class MembershipError(Exception):
    """The user must act; str() is one line that says how."""


def explain_api_error(error: ApiError, url: str, token: Claims) -> MembershipError:
    """What an API error means to a user with a join token."""
    if isinstance(error, Unreachable):
        if "certificate" in error.message.lower():
            return MembershipError(
                f"{url} is not trusted: {error.message}; give its certificate authority with --ca-cert FILE"
            )
        return MembershipError(f"{url} cannot be reached: {error.message}")
    if isinstance(error, Unauthorized):
        return MembershipError(
            f"the join token is not accepted; it may have expired or been used, or be another cluster's: {NEW_TOKEN}"
        )
    if isinstance(error, Forbidden) and POLICY not in error.message:
        return MembershipError(
            f"the token is {token.namespace}/{token.account}'s, which may not let a Mac join ({error.message}): "
            f"{NEW_TOKEN}"
        )
    if isinstance(error, NotFound):
        return MembershipError(f"{url} has no Anka build cloud: {error.message}; install it first")
    return MembershipError(f"{url} refused: {error}")
