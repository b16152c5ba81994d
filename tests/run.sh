#!/bin/sh
# The tests: sets itself up in .venv, then runs pytest with your options (default: everything short),
# one worker a core; each file stays on one worker, because some share a hub for all their tests.
set -eu
cd "$(dirname "$0")/.."
sh deploy/setup.sh test
exec .venv/bin/python -m pytest -n auto --dist loadfile "$@"
