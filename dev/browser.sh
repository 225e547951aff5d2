#!/usr/bin/env bash
# Chromium, for the tests that open pages in a browser. They are skipped without it: nothing that is missing here is an
# error. With recommended packages it would be twice as large.
set -u
command -v chromium >/dev/null && exit 0
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
  echo "browser: none is installed, which takes root and apt-get: tests that need one are skipped"
  exit 0
fi
log=$(mktemp)
trap 'rm -f "$log"' EXIT
export DEBIAN_FRONTEND=noninteractive
install() {
  timeout 60 apt-get update && timeout 300 apt-get install --yes --no-install-recommends chromium
}
if install >"$log" 2>&1 </dev/null && command -v chromium >/dev/null; then
  echo "browser: $(chromium --version) installed after $SECONDS s"
else
  echo "browser: none is installed: $(tail -n 1 "$log")"
fi
exit 0
