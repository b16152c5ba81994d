"""The operating system's keyring: only a real one is trusted with a passphrase."""

from collections.abc import Sequence
from pathlib import Path

import keyring.backend
import keyring.errors
import pytest

from accord.kernel.errors import AccordError
from accord.oskeyring import REAL, SERVICE, forget, real_keyring, recall, remember


def offered(module: str, priority: float = 5) -> keyring.backend.KeyringBackend:
    """A keyring of the computer, simulated: it keeps what it is given, under a module's name."""
    kept: dict[tuple[str, str], str] = {}

    def get(_self: object, service: str, name: str) -> str | None:
        return kept.get((service, name))

    def put(_self: object, service: str, name: str, password: str) -> None:
        kept[service, name] = password

    def delete(_self: object, service: str, name: str) -> None:
        del kept[service, name]

    made = type(
        "Keyring",
        (keyring.backend.KeyringBackend,),
        {
            "__module__": module,
            "priority": priority,
            "get_password": get,
            "set_password": put,
            "delete_password": delete,
        },
    )
    found = made()
    assert isinstance(found, keyring.backend.KeyringBackend)
    return found


def code_of(found: Sequence[keyring.backend.KeyringBackend]) -> str:
    with pytest.raises(AccordError) as caught:
        real_keyring(found)
    return caught.value.code


@pytest.mark.parametrize(
    "module",
    [
        "keyring.backends.null",
        "keyring.backends.fail",
        "keyring.backends.chainer",
        "keyrings.alt.file",
        "keyrings.alt.Gnome",
        "keyring.backends.macOS2",
        "some.module",
    ],
)
def test_what_keeps_plain_text_or_nothing_is_refused(module: str) -> None:
    assert code_of([offered(module, priority=99)]) == "keyring_missing"


def test_no_keyring_at_all_is_said_with_what_to_do() -> None:
    with pytest.raises(AccordError) as caught:
        real_keyring([])
    assert (caught.value.code, bool(caught.value.next_step)) == ("keyring_missing", True)


def test_the_highest_real_one_is_taken_whatever_else_is_offered() -> None:
    real = [offered(module, priority=place) for place, module in enumerate(sorted(REAL))]
    assert real_keyring([offered("keyrings.alt.file", priority=99), *real]) is real[-1]


def test_a_passphrase_is_kept_for_one_home_and_taken_out(tmp_path: Path) -> None:
    backend = offered("keyring.backends.SecretService")
    one, other = tmp_path / "one", tmp_path / "other"
    remember(one, "pässphrase".encode(), backend)
    assert recall(one, backend) == "pässphrase".encode()
    assert recall(tmp_path / "x" / ".." / "one", backend) == "pässphrase".encode()
    assert backend.get_password(SERVICE, str(one.resolve())) == "pässphrase"
    with pytest.raises(AccordError) as caught:
        recall(other, backend)
    assert caught.value.code == "keyring_empty"
    assert (forget(one, backend), forget(one, backend)) == (True, False)


def test_a_locked_keyring_is_not_taken_for_an_empty_one(tmp_path: Path) -> None:
    backend = offered("keyring.backends.SecretService")

    def locked(*_: object) -> str:
        raise keyring.errors.KeyringLocked

    type(backend).get_password = locked  # type: ignore[assignment]
    for act in (recall, forget):
        with pytest.raises(AccordError) as caught:
            act(tmp_path, backend)
        assert caught.value.code == "keyring_locked"
