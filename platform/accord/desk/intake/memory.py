"""Mappings that a user has given, kept by header, so that the next export needs none.

A small JSON file in the home directory. It holds column names and fields, never cells. It is
written only when the home directory exists already, and a damaged file is as good as none.
"""

import json
import os
from collections.abc import Mapping
from pathlib import Path

FILE_NAME = "intake-mappings.json"
MAX_MAPPINGS = 500
MAX_FILE = 4 << 20


def recall(home: Path | None, key: str) -> dict[str, str]:
    """Return the overrides remembered under ``key``; empty when there are none."""
    found = _load(home).get(key)
    if not isinstance(found, dict):
        return {}
    return {str(column): str(field) for column, field in found.items()}


def remember(home: Path | None, key: str, overrides: Mapping[str, str]) -> bool:
    """Keep ``overrides`` under ``key``; return whether they could be kept."""
    if home is None or not home.is_dir():
        return False
    kept = _load(home)
    kept.pop(key, None)
    kept[key] = dict(overrides)
    while len(kept) > MAX_MAPPINGS:
        del kept[next(iter(kept))]
    target = home / FILE_NAME
    fresh = home / (FILE_NAME + ".new")
    try:
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
            json.dump(kept, out, ensure_ascii=False, indent=1)
        fresh.replace(target)
    except OSError:
        return False
    return True


def _load(home: Path | None) -> dict[str, object]:
    if home is None:
        return {}
    path = home / FILE_NAME
    try:
        if path.stat().st_size > MAX_FILE:
            return {}
        content = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}
