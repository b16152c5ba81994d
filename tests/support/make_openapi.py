"""Writes ``schemas/openapi/hub.v1.json``, the hub's interface as it describes itself.

Run after a change of the interface: ``PYTHONPATH=platform python -m tests.support.make_openapi``.
"""

import json
import sys
import tempfile
from pathlib import Path

from tests.support.hub_world import World

OUT = Path(__file__).resolve().parents[2] / "schemas/openapi/hub.v1.json"


def document(world: World) -> str:
    """The file's text."""
    found = world.client.get("/v1/openapi.json").json()
    return json.dumps(found, indent=1, sort_keys=True) + "\n"


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        world = World(Path(folder))
        OUT.write_text(document(world), encoding="utf-8")
        world.close()
    sys.stdout.write(f"{OUT.name} written\n")
