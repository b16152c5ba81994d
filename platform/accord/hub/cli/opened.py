"""Opening the hub of a home for one command: settings, passphrase, keys, root file, services."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from accord.clock import Clock, system_clock
from accord.hub.cli.identity import HubKeys, load_hub_keys
from accord.hub.config import HubConfig, load_config
from accord.hub.services import Services, build_services
from accord.kernel.directory.rootfile import RootFile, verify_root
from accord.kernel.errors import Refused
from accord.kernel.keys import require_post_quantum
from accord.terminal import Terminal


@dataclass(frozen=True, kw_only=True)
class Unlocked:
    """Settings, verified root file and unwrapped log keys: what the rooms are built from."""

    config: HubConfig
    root: RootFile
    root_bytes: bytes
    keys: HubKeys

    def build(self, clock: Clock = system_clock) -> Services:
        """Open the database and build the rooms."""
        return build_services(
            self.config, root=self.root, root_bytes=self.root_bytes, keys=self.keys, clock=clock
        )


def unlock_hub(terminal: Terminal) -> Unlocked:
    """Read the hub in ``--home`` and unwrap its keys; raises as ``opened_hub``."""
    require_post_quantum()
    config = load_config(terminal.home)
    root_bytes, root = read_root(config)
    keys = load_hub_keys(config, terminal.passphrase("Passphrase of the hub's log keys"))
    check_keys(keys, root)
    return Unlocked(config=config, root=root, root_bytes=root_bytes, keys=keys)


@contextmanager
def opened_hub(
    terminal: Terminal, *, signs: bool = False, clock: Clock = system_clock
) -> Iterator[Services]:
    """Give the services of the hub in ``--home`` and close them at the end.

    With ``signs`` the command will make a log longer: the witnesses are asked first, so that an
    older copy of the database never signs. One that does not answer stops nothing.

    Raises:
        NotFound: ``hub_missing``.
        Refused: ``root_missing`` before the registrars have signed, ``root_other_keys``.
        AuthenticationNeeded: ``passphrase_wrong``.
        Conflict: ``behind_witness``, ``forked_from_witness``.
    """
    services = unlock_hub(terminal).build(clock)
    try:
        if signs and not terminal.dry_run:
            services.jobs.first_round()
        yield services
    finally:
        services.close()


def read_root(config: HubConfig) -> tuple[bytes, RootFile]:
    """Return the root file in force, verified.

    Raises:
        Refused: ``root_missing``.
        VerificationFailed, Malformed: it does not hold.
    """
    try:
        data = config.root.read_bytes()
    except FileNotFoundError as error:
        raise Refused(
            "root_missing",
            "This hub has no root file yet.",
            observed=str(config.root),
            next_step=f"Have the registrars sign {config.root_draft}, then: accord hub root "
            "install FILE",
        ) from error
    return data, verify_root(data)


def check_keys(keys: HubKeys, root: RootFile) -> None:
    """Check that the root file names our log keys.

    Raises:
        Refused: ``root_other_keys``.
    """
    for name, pair in keys.items():
        if tuple(pair.vkeys) != tuple(root.log_vkeys(name)):
            raise Refused(
                "root_other_keys",
                "The root file names other log keys than this hub has.",
                observed=name.value,
                next_step="Sign the draft that this hub made.",
            )
