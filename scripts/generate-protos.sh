#!/usr/bin/env bash
# Makes protos/gen from protos/superwhisper: generate-protos.sh [FOLDER, protos/gen by default]
set -euo pipefail
cd "$(dirname "$0")/.."
target=${1:-protos/gen}
bin=$PWD/.venv/bin
rm -rf "$target" && mkdir -p "$target"
PATH=$bin:$PATH "$bin/python" -m grpc_tools.protoc -I protos \
  --python_out="$target" --mypy_out=quiet:"$target" \
  --grpc_python_out="$target" --mypy_grpc_out=quiet:"$target" \
  $(find protos/superwhisper -name '*.proto' | sort)
# A file without a service needs no gRPC code: protoc writes an empty one all the same.
grep -L -E '^class |Servicer' $(find "$target" -name '*_pb2_grpc.py') | while read -r empty; do rm -f "$empty" "${empty}i"; done
