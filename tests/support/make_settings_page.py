"""Write docs/operate/settings.md from the hub's config class.

``python -m tests.support.make_settings_page``; a test compares the page with the source.
"""

import dataclasses
import inspect
import re
from pathlib import Path

from accord.hub.config import FILE_NAME, HubConfig

PAGE = Path(__file__).resolve().parents[2] / "docs" / "operate" / "settings.md"

HEAD = f"""\
# Settings of a hub

Made from the source, and tested against it. The settings stand in `{FILE_NAME}` in the hub's home; it is read once, at the start. A name without meaning or a value of another form
stops the start (`setting_unknown`, `setting_invalid`). `accord hub check-config` reads the file as a start would. Keys and passphrases are not settings.

| name | meaning | default |
| --- | --- | --- |
"""

TAIL = """
From the environment come only `ACCORD_HOME` (the home, unless `--home` is given) and `ACCORD_PASSPHRASE_FILE` (a file with mode 0600 that holds the passphrase of the log keys).
"""


def meanings() -> dict[str, str]:
    """Return what the class's docstring says of each attribute, in one line each."""
    text = inspect.getdoc(HubConfig) or ""
    _, _, attributes = text.partition("Attributes:\n")
    found = re.findall(r"^    (\w+): (.*(?:\n {8}.*)*)", attributes, re.MULTILINE)
    return {name: " ".join(words.replace("``", "`").split()) for name, words in found}


def page() -> str:
    """Return the whole page."""
    said = meanings()
    rows = []
    for one in dataclasses.fields(HubConfig):
        if one.name == "home":
            continue
        meaning = said[one.name]
        rows.append(f"| `{one.name}` | {meaning[:1].upper()}{meaning[1:]} | {_default(one)} |\n")
    return HEAD + "".join(rows) + TAIL


def _default(one: dataclasses.Field[object]) -> str:
    if one.default is dataclasses.MISSING:
        return "from `accord hub init`"
    if one.default in ((), "", None):
        return "none"
    value = str(one.default).lower() if isinstance(one.default, bool) else one.default
    return f"`{value}`"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
