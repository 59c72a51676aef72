#!/usr/bin/env bash
# Pins the newest allowed version of every dependency, with hashes, for all Pythons and platforms that we support.
set -euo pipefail
cd "$(dirname "$0")/.."
compile() { .venv/bin/uv pip compile -q --upgrade --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url "$@"; }
compile --all-extras pyproject.toml -o constraints/all.txt
echo pip | compile - -o constraints/pip.txt
