#!/usr/bin/env bash
# Makes the files of a release: wheel, installer with its lock, agent package, SBOM. Usage: release.sh VENV DIRECTORY
# Image, chart, checksums and signatures: .github/workflows/release.yaml.
set -euo pipefail
cd "$(dirname "$0")/.."
venv=$1 out=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1 PIP_QUIET=1
mkdir -p "$out"
[ -z "$(ls -A "$out")" ] || { echo "release: $out is not empty" >&2; exit 1; }

environment() {  # NAME LOCK: a new environment with what the lock knows
  "$venv/bin/python" -m venv --without-pip "$work/$1"
  "$venv/bin/pip" --python "$work/$1/bin/python" install --only-binary :all: --require-hashes --requirement "$2"
}

# setuptools builds in a copy: build/ of the working copy may have files that are gone.
git archive --prefix=source/ HEAD | tar -xC "$work"
environment build requirements-build.txt
"$venv/bin/pip" --python "$work/build/bin/python" wheel --no-index --no-deps --no-build-isolation \
  --wheel-dir "$out" "$work/source"
cp agent/anka_agent/macos/install.sh agent/anka_agent/macos/requirements.txt "$out"
"$venv/bin/anka-dev" agent-package "$out"

# Of the environment that the Dockerfile makes, too.
environment image requirements-image.txt
"$venv/bin/pip" --python "$work/image/bin/python" install --no-index --no-deps "$out"/*.whl
environment sbom dev/requirements-sbom.txt
"$work/sbom/bin/cyclonedx-py" environment --pyproject pyproject.toml --mc-type application --output-reproducible \
  --output-file "$out/anka-cloud.cdx.json" "$work/image/bin/python"
ls "$out"
