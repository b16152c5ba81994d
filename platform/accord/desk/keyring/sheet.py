"""The printed recovery sheet: organisation, what it is for, 48 words, a QR code; PDF or plain text.

It is the recovery key in the clear, written only because somebody asked for it. The texts of a
person never become part of the page's program: they reach it as data.
"""

import io
import json
from dataclasses import dataclass
from datetime import UTC, datetime

import segno
import typst

from accord.desk.keyring.recovery import recovery_line, recovery_words
from accord.kernel.encoding import b64encode
from accord.kernel.keys import SigningKeyPair

_COLUMNS = 6
_TITLE = "Recovery sheet"
_ADVICE = (
    "This is a private key: with the registrars it replaces all keys of this organisation.",
    "Keep it in a safe, away from the desk's computer and from the backup.",
    "Use it when the desk's keys are lost or known to others: accord keys recover --words -",
    "It opens no bundle. Only the backup of the desk's keys does.",
)

_PAGE = """
#let d = json(bytes(sys.inputs.data))
#set document(title: d.title)
#set page(paper: "a4", margin: 2cm)
#set text(size: 11pt, lang: "en")
= #d.title
#table(columns: (auto, 1fr), stroke: none, inset: (x: 0pt, y: 3pt), column-gutter: 12pt,
  ..d.facts.flatten())
#for line in d.advice [ #par(line) ]
#for (number, part) in d.parts.enumerate() [
  == Part #(number + 1)
  #table(columns: (1fr,) * 6, inset: 6pt,
    ..part.enumerate().map(((at, word)) => [#text(size: 8pt)[#(at + 1)] #h(2pt) *#word*]))
]
#v(6pt)
#image(bytes(d.code), format: "svg", width: 4.5cm, alt: "The same key for a scanner")
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """What the sheet says; ``made`` is unix seconds."""

    org: str
    hub: str
    made: int
    pair: SigningKeyPair

    @property
    def facts(self) -> list[list[str]]:
        """The lines above the words."""
        day = datetime.fromtimestamp(self.made, UTC).strftime("%Y-%m-%d")
        return [
            ["Organisation", self.org],
            ["Hub", self.hub],
            ["Printed", day],
            ["Key", b64encode(self.pair.kid)],
        ]


def sheet_pdf(sheet: Sheet) -> bytes:
    """Return the sheet as one page of PDF."""
    code = io.BytesIO()
    segno.make(recovery_line(sheet.pair), error="m").save(code, kind="svg", border=2)
    data = {
        "title": _TITLE,
        "facts": sheet.facts,
        "advice": list(_ADVICE),
        "parts": [list(part) for part in recovery_words(sheet.pair)],
        "code": code.getvalue().decode(),
    }
    return typst.compile(
        _PAGE.encode(),
        format="pdf",
        sys_inputs={"data": json.dumps(data)},
        ignore_system_fonts=True,
        timestamp=sheet.made,
    )


def sheet_text(sheet: Sheet) -> str:
    """Return the sheet as plain text."""
    lines = [_TITLE, "=" * len(_TITLE), ""]
    lines += [f"{name}: {value}" for name, value in sheet.facts]
    lines += ["", *_ADVICE]
    for number, part in enumerate(recovery_words(sheet.pair), 1):
        lines += ["", f"Part {number}"]
        numbered = [f"{place:2} {word:9}" for place, word in enumerate(part, 1)]
        lines += [
            "  ".join(numbered[at : at + _COLUMNS]).rstrip()
            for at in range(0, len(numbered), _COLUMNS)
        ]
    return "\n".join([*lines, "", recovery_line(sheet.pair), ""])
