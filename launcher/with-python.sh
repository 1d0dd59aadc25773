#!/bin/sh
# Goes on in Python 3.11 or newer: with-python.sh NAME MODULE [ARGUMENT…] runs a module of this checkout, from its top
# folder; NAME is what the person called, for the sentence that says no Python will do.
cd "$(dirname "$0")/.." || exit 1
name=$1
shift
for python in "${PYTHON:-python3}" .venv/bin/python python3.14 python3.13 python3.12 python3.11; do
    if "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
        exec "$python" -m "$@"
    fi
done
found=$("${PYTHON:-python3}" --version 2>/dev/null)
echo "$name: Groundschool needs Python 3.11 or newer and found ${found:-none}: install one, or name it, PYTHON=/path/to/python3.12 $name." >&2
exit 1
