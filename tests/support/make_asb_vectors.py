"""Make schemas/vectors/asb: bundles, deliveries, disclosures, each with what a strict reader must answer.

``python -m tests.support.make_asb_vectors DIRECTORY`` writes the files; the same bytes come out
every time (a test compares them with the published ones). A published file never changes: a new
case goes into a new file.

``expect.verify`` is what the hub's check without secrets answers, ``expect.open`` what the named
recipient's desk answers, ``expect.disclose`` what a reader of one record answers: ``ok`` or the
stable error code. A question that has no answer there is not asked.
"""

import json
import sys
from collections.abc import Iterable
from pathlib import Path

from tests.support import asb_cases
from tests.support.asb_recipes import ALICE, MALLORY, NOW, OUTSIDER, READERS, Case
from tests.support.asb_reference import Reader, Writer, b64


def file_text(cases: Iterable[Case]) -> str:
    """Return one vector file: the keys of everybody, the time, the cases."""
    return (
        json.dumps(
            {
                "format": "ASB/1",
                "now": NOW,
                "directory": [_sender(writer) for writer in (ALICE, MALLORY)],
                "recipients": [_recipient(reader) for reader in (*READERS, OUTSIDER)],
                "cases": [case.as_json() for case in cases],
            },
            indent=1,
            ensure_ascii=False,
        )
        + "\n"
    )


def _sender(writer: Writer) -> dict[str, str]:
    return {
        "org": writer.org,
        "key_id": b64(writer.kid),
        "ed25519_seed": b64(writer.seeds[0]),
        "ml_dsa_65_seed": b64(writer.seeds[1]),
    }


def _recipient(reader: Reader) -> dict[str, str]:
    return {"org": reader.org, "key_id": b64(reader.kid), "x_wing_seed": b64(reader.seed)}


def files() -> dict[str, str]:
    """Return the text of each vector file by its name."""
    groups = asb_cases.groups()
    return {f"{name}.json": file_text(cases) for name, cases in groups.items()}


if __name__ == "__main__":
    target = Path(sys.argv[1])
    for file_name, text in files().items():
        (target / file_name).write_text(text, encoding="utf-8")
