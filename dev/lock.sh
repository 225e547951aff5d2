#!/usr/bin/env bash
# Writes the locks: the versions of constraints.txt, with the SHA-256 of each of their files. Usage: lock.sh VENV
# "make constraints" runs it; run it alone after a change of the dependencies in pyproject.toml.
set -euo pipefail
cd "$(dirname "$0")/.."
venv=$1
tool=$(mktemp -d)
trap 'rm -rf "$tool"' EXIT
# Not into the environment itself: constraints.txt is what is in there.
"$venv/bin/pip" install -q --target "$tool" uv

lock() {  # FILE ARGUMENT...
  local file=$1; shift
  "$tool/bin/uv" pip compile -q --universal --python-version 3.11 --generate-hashes --no-annotate \
    --custom-compile-command "make constraints" --constraint constraints.txt --output-file "$tool/lock" "$@" >/dev/null
  mv "$tool/lock" "$file"
  echo "lock: $file: $(grep -c == "$file") packages"
}

lock agent/anka_agent/macos/requirements.txt pyproject.toml
lock requirements-image.txt --extra operator --extra shim pyproject.toml
"$venv/bin/python" -c '
import pathlib, tomllib
print(*tomllib.loads(pathlib.Path("pyproject.toml").read_text())["build-system"]["requires"], sep="\n")' |
  lock requirements-build.txt -
echo cyclonedx-bom | lock dev/requirements-sbom.txt -
