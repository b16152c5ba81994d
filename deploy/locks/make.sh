#!/bin/sh
# Write the hashed locks anew from pyproject.toml. Needs pip-tools in the environment ($PYTHON).
# run.txt = what the programs need; test.txt = the same and the test tools; lint.txt = the gates too.
set -eu
cd "$(dirname "$0")/../.."
PYTHON="${PYTHON:-.venv/bin/python}"
groups="$(mktemp -d)"
trap 'rm -rf "$groups"' EXIT

lock() {
  out="$1"; shift
  "$PYTHON" - "$@" > "$groups/groups.in" <<'PY'
import sys, tomllib
project = tomllib.load(open("pyproject.toml", "rb"))
lines = [*project["build-system"]["requires"], "editables"]  # hatchling's editable install
for name in sys.argv[1:]:
    lines += project["dependency-groups"][name]
print(*lines, sep="\n")
PY
  "$PYTHON" -m piptools compile --quiet --generate-hashes --strip-extras --allow-unsafe \
    --no-emit-index-url --no-emit-trusted-host --no-emit-find-links --no-header --no-annotate \
    --output-file "deploy/locks/$out" pyproject.toml "$groups/groups.in"
}
lock run.txt
lock test.txt test
lock lint.txt test lint
