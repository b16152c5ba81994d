#!/bin/sh
# The tests: sets itself up in .venv, then runs pytest with your options (default: everything short).
set -eu
cd "$(dirname "$0")/.."
sh deploy/setup.sh test
exec .venv/bin/python -m pytest "$@"
