#!/usr/bin/env bash
# Everything that reads the code without running it.
set -euo pipefail
cd "$(dirname "$0")/.."
bin=.venv/bin
$bin/ruff check .
$bin/ruff format --check .
$bin/mypy
$bin/lint-imports
scripts/check-protos.sh
if command -v npx >/dev/null; then
  npx --yes --loglevel=error @bufbuild/buf@1.75.0 lint protos
else
  echo "npx is not there: buf does not lint the protos here; tests/contract/test_protos.py holds the conventions"
fi
