#!/usr/bin/env bash
# Makes .venv with everything in it, and fetches the models of the embedded profile. Does nothing where that is done.
set -euo pipefail
cd "$(dirname "$0")/.."

stamp=.venv/.made-from
made_from=$(cat pyproject.toml constraints/*.txt "$0" | sha256sum)
[ "$(cat "$stamp" 2>/dev/null)" = "$made_from" ] && exit 0

need() { echo "superwhisper: $1" >&2; exit 1; }

python=${PYTHON:-}
for candidate in ${python:-python3.12 python3.11 python3.13 python3}; do
  if "$candidate" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null; then
    python=$candidate
    break
  fi
done
[ -n "$python" ] || need "Python 3.11, 3.12 or 3.13 is needed. On Debian or Ubuntu: sudo apt install python3 python3-venv"
"$python" -c 'import venv, ensurepip' 2>/dev/null || need "Python's venv is needed. On Debian or Ubuntu: sudo apt install python3-venv"
command -v c++ >/dev/null || need "a C++ compiler is needed, for llama.cpp. On Debian or Ubuntu: sudo apt install build-essential"

echo "Setting up .venv with $("$python" --version). llama.cpp is compiled: about three minutes on two cores."
began=$SECONDS
"$python" -m venv .venv
# pip 23.1 and later take the compiled wheel from their cache next time, hashes or not.
.venv/bin/python -m pip install -q --disable-pip-version-check --require-hashes -r constraints/pip.txt
# llama.cpp without its part for pictures, on all cores: three minutes on two of them. And for any processor with AVX2
# (2013), not for this one alone: it is as fast here, pip's cache outlives a change of processor, and what GCC 12 makes
# of llama.cpp's AMX code crashes. Yours come last and win: CMAKE_ARGS="-DGGML_NATIVE=ON" make setup
export CMAKE_ARGS="-DLLAVA_BUILD=OFF -DGGML_NATIVE=OFF ${CMAKE_ARGS:-}"
export CMAKE_BUILD_PARALLEL_LEVEL=${CMAKE_BUILD_PARALLEL_LEVEL:-$(nproc)}
.venv/bin/python -m pip install -q --require-hashes -r constraints/all.txt
.venv/bin/python -m pip install -q --no-deps --no-build-isolation -e .
.venv/bin/superwhisper models pull --profile embedded
echo "$made_from" >"$stamp"
echo "Ready after $(((SECONDS - began) / 60)) min $(((SECONDS - began) % 60)) s."
