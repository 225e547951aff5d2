#!/bin/sh
# Installs anka-agent on a Mac, or another version of it in its place: sudo sh install.sh WHEEL-OR-CHECKOUT
# ANKA_AGENT_PREFIX (/usr/local/anka-agent), ANKA_AGENT_BIN (/usr/local/bin) and PYTHON (python3) may be set.
set -eu

say() { echo "install.sh: $*"; }
fail() { say "$*" >&2; exit 1; }

what=${1:-}
prefix=${ANKA_AGENT_PREFIX:-/usr/local/anka-agent}
bin=${ANKA_AGENT_BIN:-/usr/local/bin}
python=${PYTHON:-python3}

[ -n "$what" ] || fail "say what to install: a wheel, or the folder of a checkout"
[ -e "$what" ] || fail "$what: no such file or folder"
command -v "$python" >/dev/null 2>&1 || fail "$python: not found; install Python 3.11 or newer, or set PYTHON"
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || fail "$python is too old: 3.11 or newer is needed"

# Beside the old one, then in its place: a failed installation leaves what is there.
new="$prefix.new"
rm -rf "$new"
mkdir -p "$(dirname "$prefix")" "$bin"
"$python" -m venv "$new" || fail "$python -m venv failed; is $(dirname "$prefix") writable (sudo)?"
"$new/bin/python" -m pip install --quiet --disable-pip-version-check "$what" || fail "pip could not install $what"
"$new/bin/python" -m anka_agent version >/dev/null || fail "the installed agent does not run"
rm -rf "$prefix.old"
[ ! -e "$prefix" ] || mv "$prefix" "$prefix.old"
mv "$new" "$prefix"
rm -rf "$prefix.old"

# Not pip's own script, which names the folder that the environment was made in.
cat >"$bin/anka-agent" <<END
#!/bin/sh
exec "$prefix/bin/python" -m anka_agent "\$@"
END
chmod 755 "$bin/anka-agent"
say "$("$bin/anka-agent" version) is installed. Next: sudo $bin/anka-agent join URL --token TOKEN"
