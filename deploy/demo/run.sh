#!/bin/sh
# The whole story on this computer: sets itself up in .venv, then runs `accord demo` with your options.
set -eu
cd "$(dirname "$0")/../.."
sh deploy/setup.sh run
exec .venv/bin/accord demo "$@"
