#!/usr/bin/env bash
# Makes the virtual environment with the pinned versions. Usage: setup.sh [--upgrade] VENV
# With --upgrade: the newest versions, and constraints.txt and the locks written from them.
set -euo pipefail
upgrade=
if [ "${1:-}" = --upgrade ]; then upgrade=1; shift; fi
venv=$1
die() { echo "setup: $*" >&2; exit 1; }

# PYTHON names one; otherwise the first that is new enough.
suits() { command -v "$1" >/dev/null 2>&1 && "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }
python=
for candidate in ${PYTHON:-python3 python3.14 python3.13 python3.12 python3.11}; do
  if suits "$candidate"; then python=$candidate; break; fi
done
[ -n "$python" ] || die "Python 3.11 or newer is needed, found: $(python3 --version 2>&1 || true). Install it, or name it: make PYTHON=/path/to/python3"

if [ ! -x "$venv/bin/python" ]; then
  echo "setup: virtual environment in $venv with $("$python" --version)"
  "$python" -m venv "$venv" >/dev/null 2>&1 ||
    { rm -rf "$venv"; die "'$python -m venv' failed: install Python's venv module (on Debian and Ubuntu: apt install python3-venv)"; }
fi
export PYTHONWARNINGS=ignore PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1 PIP_PROGRESS_BAR=off
start=$SECONDS
if [ -n "$upgrade" ]; then
  "$venv/bin/pip" install -q -U pip setuptools
  "$venv/bin/pip" install -q -U --upgrade-strategy eager -e '.[dev]'
  { echo '# Versions that the tests passed with; made by "make constraints". No download addresses.'
    "$venv/bin/pip" freeze --all --exclude pip --exclude-editable | grep -v ' @ '; } > constraints.txt
  bash "$(dirname "$0")/lock.sh" "$venv"
else
  echo "setup: installing $(grep -c == constraints.txt) packages (about a minute the first time)"
  "$venv/bin/pip" install -q -c constraints.txt -e '.[dev]' || die "pip could not install the packages: see the message above"
fi
echo "setup: ready after $((SECONDS - start)) s"
