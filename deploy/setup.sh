#!/bin/sh
# Make .venv with the locked packages. Usage: setup.sh run|test|lint. Does nothing when it is there.
# Needs Python 3.11 or newer ($PYTHON names another one than python3.11/python3) and its venv module.
set -eu
cd "$(dirname "$0")/.."
lock="deploy/locks/$1.txt"

if [ -z "${PYTHON:-}" ]; then
  for name in python3.11 python3.12 python3.13 python3; do
    if command -v "$name" > /dev/null 2>&1; then PYTHON="$name"; break; fi
  done
fi
if [ -z "${PYTHON:-}" ] || ! "$PYTHON" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
  echo "Accord needs Python 3.11 or newer. Install it, or name it: PYTHON=/path/to/python3.11" >&2
  exit 1
fi

# One stamp a lock: the larger sets contain the smaller ones.
sum="$("$PYTHON" -c 'import hashlib, sys
print(hashlib.sha256(b"".join(open(name, "rb").read() for name in sys.argv[1:])).hexdigest())' \
  "$lock" pyproject.toml)"
stamp=".venv/accord-$1"
if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$sum" ]; then exit 0; fi

[ -x .venv/bin/python ] || "$PYTHON" -m venv .venv || {
  echo "The venv module is missing. On Debian: apt-get install python3-venv" >&2
  exit 1
}
echo "Installing the locked packages into .venv (once) ..." >&2
.venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r "$lock"
.venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
echo "$sum" > "$stamp"
