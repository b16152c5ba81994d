"""The desk's own keys: which there are, whether the directory agrees, backup, sheet, and rotation.

A page may do one thing to keys: replace them by new ones, which stay on this computer; it asks for
the person's password again. What writes keys to a file, takes in keys, or ends them needs a file,
printed words or the desk's passphrase, and none of these belongs into a browser: the page names
the exact command. Private keys, passphrases and words never pass through here.
"""

import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from flask import Blueprint, render_template
from werkzeug.wrappers import Response

from accord.desk.config import DeskConfig
from accord.desk.exchange.keychange import Standing
from accord.desk.exchange.ours import next_step
from accord.desk.exchange.own_keys import SHORT, OwnKeys, Role, Todo, Use
from accord.desk.web.again import PasswordAgain, unkept
from accord.kernel.encoding import b64encode
from accord.kernel.errors import AccordError
from accord.kernel.identifiers import KeyId
from accord.webbase.routes import Who, declare
from accord.webbase.texts import gettext

KEYS = "/keys"

USES: Mapping[str, str] = {
    Use.SIGNING: gettext("Signs what you send"),
    Use.OPENING: gettext("Opens what was sealed for you"),
    Use.REQUEST: gettext("Signs this desk's requests to the hub"),
}
"""What each key does."""

ROLES: Mapping[str, str] = {
    Role.IN_USE: gettext("in use"),
    Role.FOLLOWING: gettext("new, takes over when the change is finished"),
    Role.OLD: gettext("old, still opens what was sealed to it"),
}
"""How each key stands here."""

STEPS: Mapping[str, str] = {
    Todo.FINISH: gettext("You: a change of keys is under way. Finish it below."),
    Todo.ENROL: gettext("You: this desk is not enrolled yet. Run accord desk enrol."),
    Todo.OTHER_KEYS: gettext(
        "You, at once: the directory holds other keys for your organisation. If one of you changed "
        "them on another computer, restore the newest backup here. If nobody did, call a "
        "registrar: they suspend your organisation; then recover it."
    ),
    Todo.STANDING: "",
    Todo.ROTATE: gettext("You: the keys in use end soon. Change them below."),
    Todo.BACKUP: gettext(
        "You: make a backup, as below; no backup holds these keys. If this computer is lost, so "
        "are they."
    ),
    Todo.NOTHING: gettext("Nothing is to be done."),
}
"""Who acts next; of a standing that was lost the directory's words say it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """What was found: the keys, and whether the hub answered.

    Attributes:
        fresh: the hub answered just now or some minutes ago; else it is what it said last.
        reopening: the key file was changed since this desk was opened; it is about to open again.
        recovery_files: files of recovery keys that lie on this computer.
    """

    keys: OwnKeys
    fresh: bool
    reopening: bool
    recovery_files: tuple[Path, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyCare:
    """What this page works with.

    Attributes:
        rotate: replaces all keys in the name of a person.
        again: asks for the password once more.
    """

    config: DeskConfig
    look: Callable[[], Looked]
    rotate: Callable[[str], Standing]
    again: PasswordAgain
    checked: Callable[[], int | None]


def key_routes(care: KeyCare) -> Blueprint:
    """Return the page over ``care``."""
    routes = Blueprint("keys", __name__)
    routes.context_processor(lambda: {"checked": care.checked()})

    @routes.get(KEYS)
    @declare("key:list", who=Who.PERSON)
    def key_page() -> Response:
        """Show the keys and what is to be done about them."""
        return unkept(_page(care))

    @routes.post(KEYS)
    @declare("key:rotate", who=Who.PERSON)
    def rotate_keys() -> Response:
        """Replace the keys by new ones; the person has typed the password again."""
        try:
            done = _rotate(care)
        except AccordError as error:
            return unkept(_page(care, error=error), error)
        return unkept(_page(care, done=done))

    return routes


def _rotate(care: KeyCare) -> Standing:
    """Replace the keys.

    Raises:
        AuthenticationNeeded: ``sign_in_wrong``; nothing was changed.
        Unavailable: ``too_many_attempts``; ``sender_busy``; ``change_pending``.
        Refused: ``rotation_too_soon``, ``outbox_waits``, ``standing_lost``.
        VerificationFailed: ``keys_not_ours``.
    """
    return care.rotate(care.again.person())


def _page(care: KeyCare, *, error: AccordError | None = None, done: Standing | None = None) -> str:
    looked = care.look()
    found, held = looked.keys, looked.keys.held
    standing = found.todo is Todo.STANDING and held is not None
    return render_template(
        "desk/keys.html",
        here=KEYS,
        org=care.config.org,
        found=found,
        looked=looked,
        uses=USES,
        roles=ROLES,
        todo=next_step(held) if standing and held is not None else STEPS[found.todo],
        urgent=found.todo not in {Todo.NOTHING, Todo.BACKUP, Todo.ROTATE},
        short=_short,
        may_rotate=_may_rotate(looked),
        commands=_commands(care.config),
        error=error,
        done=done,
    )


def _may_rotate(looked: Looked) -> bool:
    """Tell whether a change can be begun or finished now."""
    if looked.reopening or looked.keys.held is None:
        return False
    if looked.keys.todo is Todo.FINISH:
        return True
    fit = {Todo.NOTHING, Todo.BACKUP, Todo.ROTATE}
    return looked.keys.todo in fit and looked.keys.rotate_from is None


def _short(kid: KeyId) -> str:
    return b64encode(kid)[:SHORT] + "…"


def _commands(config: DeskConfig) -> dict[str, str]:
    """Return the commands that the page names, as they are typed at this desk."""
    home = f"--home {shlex.quote(str(config.home))}"
    away = f"--org {config.org} --root root.json --words - --home spare"
    return {
        "backup": f"accord keys backup -o keys.backup {home}",
        "sheet": f"accord keys backup -o keys.backup --sheet recovery-sheet.pdf {home}",
        "rotate": f"accord keys rotate {home}",
        "since": f"accord keys rotate --compromised-since 2026-12-01 {home}",
        "spare": f"accord desk init --hub {config.hub} --home spare",
        "revoke": f"accord keys revoke {away}",
        "own": f"accord keys revoke {home}",
        "recover": f"accord keys recover {away}",
        "restore": "accord keys restore keys.backup --home NEW-FOLDER",
    }
