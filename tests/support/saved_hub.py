"""A hub with bundles and its backup, and what came of a restore."""

import secrets
from pathlib import Path
from typing import Any

import httpx2
from tests.support.hub_world import World
from tests.support.light_keys import save_light_keys

from accord.hub.cli.restoring import Restored, Target, rehearse, restore_home
from accord.hub.storage.bodies import INLINE_LIMIT
from accord.kernel.identifiers import BundleId
from accord.kernel.markings import OrgKind

KEYS_PASSPHRASE = b"a passphrase of the log keys"
PASSPHRASE = b"another one for the backup"


class Saved:
    """A hub with a large and a small bundle, and its backup."""

    def __init__(self, folder: Path, *, large: bool = False) -> None:
        """Make both in ``folder``; with a large bundle when a test asks for it."""
        self.folder = folder
        self.world = World(folder)
        keys = {}
        for name, pair in self.world.log_keys.items():
            keys |= {f"{name}.ed25519": pair.ed25519_seed, f"{name}.mldsa44": pair.mldsa44_seed}
        save_light_keys(self.world.config.keys, keys, KEYS_PASSPHRASE)
        self.world.config.root.write_bytes(self.world.root_bytes)
        self.bank = self.world.enrol("first-bank", OrgKind.FINANCIAL)
        self.police = self.world.enrol("police", OrgKind.LAW_ENFORCEMENT)
        values = [f"shop{secrets.token_hex(24)}.evil-example.org" for _ in range(10_000)]
        self.bundles: list[tuple[BundleId, bytes]] = [self.bank.seal(self.police)]
        if large:
            self.bundles.append(self.bank.seal(self.police, values=values))
            assert len(self.bundles[1][1]) > INLINE_LIMIT
        for bundle_id, raw in self.bundles:
            assert self.bank.put_bundle(raw, bundle_id).status_code == 202
        self.world.witness_round()
        self.file = folder / "hub.backup"
        self.world.services.backups.make(self.file, PASSPHRASE, now=self.world.clock())

    def restore(
        self, home: Path, transport: httpx2.BaseTransport | None = None, **options: Any
    ) -> Restored:
        return restore_home(
            Target(home=home, **({"database": ""} | options)),
            self.file,
            PASSPHRASE,
            KEYS_PASSPHRASE,
            clock=self.world.clock,
            transport=transport or httpx2.WSGITransport(app=self.world.witness_app),
        )

    def rehearse(self, home: Path, file: Path | None = None) -> Restored:
        return rehearse(
            home,
            file or self.file,
            PASSPHRASE,
            KEYS_PASSPHRASE,
            clock=self.world.clock,
            transport=httpx2.WSGITransport(app=self.world.witness_app),
        )


def codes(done: Restored) -> set[str]:
    return {one.problem.code for one in done.findings if one.problem is not None}
