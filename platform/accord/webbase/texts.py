"""Words of the pages go through gettext; until a translation is there they are English."""

import gettext
from pathlib import Path

from jinja2 import Environment

DOMAIN = "accord"
_LOCALES = Path(__file__).parent / "locale"


def install_texts(environment: Environment, *, language: str = "en") -> None:
    """Give templates ``_()``, ``gettext`` and ``ngettext`` in ``language``."""
    texts = gettext.translation(DOMAIN, _LOCALES, languages=[language], fallback=True)
    environment.add_extension("jinja2.ext.i18n")
    environment.globals.update(language=language)
    install = getattr(environment, "install_gettext_callables")  # noqa: B009 - set by the extension
    install(texts.gettext, texts.ngettext, newstyle=True)
