#!/bin/sh
# Installs anka-agent on a Mac, or another version of it in its place: sudo sh install.sh WHEEL-OR-CHECKOUT
# Beside it lies requirements.txt, the lock: of other packages only files with a hash in it are installed.
# ANKA_AGENT_PREFIX (/opt/anka-agent), ANKA_AGENT_BIN (/usr/local/bin) and PYTHON (python3) may be set.
set -eu
umask 022

say() { echo "install.sh: $*"; }
fail() { say "$*" >&2; exit 1; }

what=${1:-}
prefix=${ANKA_AGENT_PREFIX:-/opt/anka-agent}
bin=${ANKA_AGENT_BIN:-/usr/local/bin}
python=${PYTHON:-python3}
lock=$(dirname "$0")/requirements.txt

# Prints the first folder, from this one up to /, that somebody else may write; in a sticky one (/tmp) all keep their own.
find_open() {
  dir=$(cd -P "$1" && pwd -P)
  while :; do
    find "$dir" -prune \( ! -user 0 ! -user "$(id -u)" -o \( -perm -020 -o -perm -002 \) ! -perm -1000 \) -print
    [ "$dir" != / ] || break
    dir=$(dirname "$dir")
  done | head -n 1
}

# What pip prints is in a file; the first line of what is wrong is enough for a person.
install() {
  "$new/bin/python" -I -m pip install --disable-pip-version-check --no-input --no-cache-dir "$@" >"$new/install.log" 2>&1 ||
    fail "pip could not install $what: $(grep -m 1 -E 'DO NOT MATCH|^ERROR' "$new/install.log" || echo "no reason given") (all of it: $new/install.log)"
}

[ -n "$what" ] || fail "say what to install: a wheel, or the folder of a checkout"
[ -e "$what" ] || fail "$what: no such file or folder"
[ -f "$lock" ] || fail "$lock: no such file; it belongs beside install.sh"
[ ! -d "$what" ] || [ -f "$what/requirements-build.txt" ] || fail "$what: no checkout: it has no requirements-build.txt"
command -v "$python" >/dev/null 2>&1 || fail "$python: not found; install Python 3.11 or newer, or set PYTHON"
"$python" -I -c 'import sys; sys.exit(sys.version_info < (3, 11))' || fail "$python is too old: 3.11 or newer is needed"

parent=$(dirname "$prefix")
mkdir -p "$parent" "$bin" 2>/dev/null || fail "$parent or $bin cannot be made: run it with sudo"
[ -w "$parent" ] || fail "$parent: not writable: run it with sudo"
open=$(find_open "$parent")
[ -z "$open" ] || fail "$open: others than root may write it, and with it the agent: sudo chown root:wheel '$open'; sudo chmod go-w '$open'"

# Beside the old one, then in its place: a failed installation leaves what is there.
new="$prefix.new"
rm -rf "$new"
mkdir "$new"
"$python" -I -m venv "$new" >"$new/install.log" 2>&1 || fail "$python -m venv failed (why: $new/install.log)"
install --only-binary :all: --require-hashes --requirement "$lock"
if [ -d "$what" ]; then
  what=$(cd "$what" && pwd)
  install --only-binary :all: --require-hashes --requirement "$what/requirements-build.txt"
fi
install --no-index --no-deps --no-build-isolation "$what"
"$new/bin/python" -I -m anka_agent version >/dev/null || fail "the installed agent does not run"
# Not pip's own script, which names the folder that the environment was made in.
cat >"$new/bin/anka-agent" <<END
#!/bin/sh
exec "$prefix/bin/python" -I -m anka_agent "\$@"
END
chmod 755 "$new/bin/anka-agent"
chmod -R go-w "$new"
[ "$(id -u)" != 0 ] || chown -Rh 0:0 "$new"
rm -rf "$prefix.old"
[ ! -e "$prefix" ] || mv "$prefix" "$prefix.old"
mv "$new" "$prefix"
rm -rf "$prefix.old"

command=$prefix/bin/anka-agent
open=$(find_open "$bin")
if [ -n "$open" ]; then
  say "$bin has no link to $command: others than root may write $open"
else
  ln -sf "$command" "$bin/anka-agent"
  command=$bin/anka-agent
fi
open=$(find_open "$("$prefix/bin/python" -I -c 'import os, sys; print(os.path.dirname(os.path.realpath(sys.executable)))')")
[ -z "$open" ] || say "the agent runs with the Python in $open, which others than root may write"
say "$("$command" version) is installed. Next: sudo $command join URL --token TOKEN"
