#!/bin/sh
# The tests: sets itself up in .venv, then runs pytest with your options (default: everything short),
# one worker a core and one more, because many tests wait for processes; each file stays on one
# worker, because some share a hub for all their tests; the longest files come first (conftest.py).
set -eu
cd "$(dirname "$0")/.."
sh deploy/setup.sh test
# Compiled modules are kept: every worker and each of the hundreds of started programs reads them.
unset PYTHONDONTWRITEBYTECODE
exec .venv/bin/python -m pytest -n "$(($(getconf _NPROCESSORS_ONLN) + 1))" \
  --dist loadfile --no-loadscope-reorder "$@"
