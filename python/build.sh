#!/usr/bin/env bash
# Makes the wheel of a platform: publishes the command with .NET inside and puts it into the Python package.
# usage: python/build.sh [OUT [PLATFORM]]     default: out/wheels, linux-x64; also linux-arm64, osx-arm64, win-x64
# PROGRAM=FOLDER takes a program that is already built instead of publishing one. PYTHON=FILE is the Python that makes the wheel; it needs build,
# setuptools and wheel.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
out=$(realpath -m "${1:-$here/../out/wheels}")
platform=${2:-linux-x64}
# The Python of an environment or the system's: the first that has what it needs. The name of a module, for 'build' alone is also a folder here.
python=
candidates=(python3 /usr/bin/python3)
[ -z "${PYTHON:-}" ] || candidates=("$PYTHON")
for candidate in "${candidates[@]}"; do
  if "$candidate" -c 'import build.__main__, setuptools, wheel' 2> /dev/null; then python=$candidate; break; fi
done
[ -n "$python" ] || {
  echo "build.sh: expected build, setuptools and wheel in ${PYTHON:-python3}; install them (pip install build setuptools wheel," \
    "or on Debian: apt-get install python3-build python3-setuptools python3-wheel), or name another Python with PYTHON=FILE" >&2
  exit 1
}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# A copy, so that nothing is written into the repository.
mkdir -p "$work/python/src" "$out"
cp "$here/pyproject.toml" "$here/setup.py" "$here/README.md" "$here/../LICENSE" "$work/python/"
cp -r "$here/src/pristine_iqa" "$work/python/src/"
program=$work/python/src/pristine_iqa/program
rm -rf "$program"
find "$work/python" -name __pycache__ -prune -exec rm -rf {} +
if [ -n "${PROGRAM:-}" ]; then
  mkdir "$program"
  cp -r "$PROGRAM/." "$program/"
  # What a build names Pristine.Cli is published as pristine.
  for suffix in "" .exe; do
    [ ! -f "$program/Pristine.Cli$suffix" ] || mv "$program/Pristine.Cli$suffix" "$program/pristine$suffix"
  done
  rm -rf "$program/samples" "$program"/*.pdb "$program"/*.xml
else
  # Not NativeAOT, whose programs need the glibc of the machine that compiles them: a wheel says that 2.28 is enough.
  dotnet publish "$here/../src/Pristine.Cli" -c Release -v quiet -clp:ErrorsOnly --artifacts-path "$work/build" \
    -r "$platform" --self-contained -p:DebugType=none -o "$program"
fi
# Where a program was built on Windows it lacks the permission to run, which the wheel passes on.
[ ! -f "$program/pristine" ] || chmod +x "$program/pristine"
(cd "$work/python" && PRISTINE_PLATFORM=$platform "$python" -m build --no-isolation --wheel --outdir "$work/wheels" . > "$work/log" 2>&1) \
  || { cat "$work/log" >&2; exit 1; }
wheel=$(basename "$work"/wheels/*.whl)
mv "$work/wheels/$wheel" "$out/"
ls -l "$out/$wheel" | awk '{ printf "%8.1f MB  %s\n", $5 / 1e6, $NF }'
