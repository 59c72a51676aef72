#!/usr/bin/env bash
# Makes .venv with everything in it, and fetches the models of the embedded profile. Does nothing where that is done.
set -euo pipefail
cd "$(dirname "$0")/.."

# llama.cpp without its part for pictures, and for any processor with AVX2 (2013), not for this one alone: it is as fast
# here, the wheel outlives a change of processor, and what GCC 12 makes of llama.cpp's AMX code crashes. Without
# "llamafile", whose matrices make the last digits depend on how many conversations are computed together (docs/mind.md).
# Yours come last, win, and hold until you give others: CMAKE_ARGS="-DGGML_CUDA=on" make setup
own_args=${CMAKE_ARGS-$(cat .venv/.cmake-args 2>/dev/null || true)}
export CMAKE_ARGS="-DLLAVA_BUILD=OFF -DGGML_NATIVE=OFF -DGGML_LLAMAFILE=OFF $own_args"
export CMAKE_BUILD_PARALLEL_LEVEL=${CMAKE_BUILD_PARALLEL_LEVEL:-$(nproc)}

stamp=.venv/.made-from
made_from=$( (cat pyproject.toml constraints/*.txt "$0"; echo "$CMAKE_ARGS") | sha256sum)
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
.venv/bin/python -m pip install -q --disable-pip-version-check --require-hashes -r constraints/pip.txt
# pip keeps a wheel that it compiled, but not what CMAKE_ARGS said then. So this one is kept here, by its arguments.
llama=$(sed -n '/^llama-cpp-python/,/[^\\]$/p' constraints/all.txt)
python_tag=$(.venv/bin/python -c 'import sys, sysconfig; print(sys.version_info[:2], sysconfig.get_platform())')
wheels=${XDG_CACHE_HOME:-$HOME/.cache}/superwhisper/llama-cpp/$(echo "$llama $CMAKE_ARGS $python_tag" | sha256sum | head -c 16)
if ! ls "$wheels"/*.whl >/dev/null 2>&1; then
  .venv/bin/python -m pip wheel -q --no-cache-dir --no-deps --require-hashes -r <(echo "$llama") -w "$wheels"
fi
.venv/bin/python -m pip install -q --no-deps --force-reinstall "$wheels"/*.whl
.venv/bin/python -m pip install -q --require-hashes -r constraints/all.txt
.venv/bin/python -m pip install -q --no-deps --no-build-isolation -e .
.venv/bin/superwhisper models pull --profile embedded
echo "$own_args" >.venv/.cmake-args
echo "$made_from" >"$stamp"
echo "Ready after $(((SECONDS - began) / 60)) min $(((SECONDS - began) % 60)) s."
