"""Version of the installed distribution, which all processes share."""

from importlib.metadata import PackageNotFoundError, version


def package_version() -> str:
    try:
        return version("anka-cloud")
    except PackageNotFoundError:  # run from a source tree that was never installed
        return "0.0.0"
