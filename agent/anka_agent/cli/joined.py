"""Options of the commands that concern this Mac: what `join` wrote counts where neither flag nor environment does."""

from anka_agent.membership.files import Files, state_dir
from anka_runtime.cli import OptionsParser, S, from_settings


def with_joined_file(model: type[S]) -> OptionsParser[S]:
    """Flags, then the environment, then what `join` wrote."""
    return from_settings(model, file=lambda argv: Files(state_dir(argv)).settings)
