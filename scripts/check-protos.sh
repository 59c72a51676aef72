#!/usr/bin/env bash
# Fails if protos/gen is not what the protos say.
set -euo pipefail
cd "$(dirname "$0")/.."
fresh=$(mktemp -d)
trap 'rm -rf "$fresh"' EXIT
scripts/generate-protos.sh "$fresh/gen"
diff -r --exclude=__pycache__ protos/gen "$fresh/gen" >/dev/null || {
  echo "protos/gen is not what the protos say: run 'make proto' and commit the result" >&2
  exit 1
}
