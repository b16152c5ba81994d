"""Words of the pages go through gettext; until a translation is there they are English.

In templates: ``_("…")`` with names as keyword arguments. In code: ``gettext("…")`` where a word
ends up in a page. Never hand ``_`` a variable in a template: its result counts as safe markup.
"""

import gettext as catalogues
from datetime import UTC, datetime
from pathlib import Path

from jinja2 import Environment
from markupsafe import Markup, escape

DOMAIN = "accord"
LANGUAGE = "en"
_LOCALES = Path(__file__).parent / "locale"
_TEXTS = catalogues.translation(DOMAIN, _LOCALES, languages=[LANGUAGE], fallback=True)


def gettext(message: str, **names: str | int) -> str:
    """Return ``message`` in the language of the pages, with ``%(name)s`` filled in."""
    return _TEXTS.gettext(message) % names if names else _TEXTS.gettext(message)


def install_texts(environment: Environment) -> None:
    """Give templates ``_()``, ``gettext``, ``ngettext``, and the filters ``utc`` and ``parted``."""
    environment.add_extension("jinja2.ext.i18n")
    environment.globals.update(language=LANGUAGE)
    environment.filters["utc"] = utc_minute
    environment.filters["parted"] = parted
    install = getattr(environment, "install_gettext_callables")  # noqa: B009 - set by the extension
    install(_TEXTS.gettext, _TEXTS.ngettext, newstyle=True)


def utc_minute(at: int) -> str:
    """Return a unix second as pages and attributes write it, for example 2026-11-28T21:33Z."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%MZ")


def parted(name: str) -> Markup:
    """Return an organisation's or a host's name that a narrow column breaks behind its dots."""
    markup = escape(name)
    for sign in ("@", "."):
        markup = markup.replace(sign, Markup(sign + "<wbr>"))  # noqa: S704 - two fixed signs
    return markup
