"""Make the term index anew for a vault that an older version filled.

One transaction: the old index stands until the new one is complete.
"""

import sqlite3

import msgspec

from accord.desk.storage.blocks import iterate_lines
from accord.desk.storage.bundles import index_records
from accord.desk.storage.vault import Vault, put_setting
from accord.kernel.indicators import IndicatorRecord

VERSION = b"3"
"""1: values and aliases. 3: also hosts above a host, moves, words of notes, prefixes."""

_SETTING = "index_version"
_decode = msgspec.json.Decoder(IndicatorRecord).decode


def bring_index_up_to_date(vault: Vault) -> bool:
    """Make the index anew if an older version made it; tell whether it was."""
    if vault.setting(_SETTING) == VERSION:
        return False
    with vault.transaction() as connection:
        connection.execute("DELETE FROM term_chunks")
        connection.execute("DELETE FROM term_runs")
        for number, first, n in connection.execute(
            "SELECT no, first, n FROM bundles WHERE purged IS NULL ORDER BY no"
        ).fetchall():
            aside = _aside(connection, number)
            records = [
                None if place in aside else _record(line)
                for place, line in enumerate(iterate_lines(connection, first, n))
            ]
            index_records(connection, vault.term_key, first, records)
        put_setting(connection, _SETTING, VERSION)
    return True


def _aside(connection: sqlite3.Connection, bundle: int) -> frozenset[int]:
    rows = connection.execute("SELECT record FROM quarantined_records WHERE bundle = ?", (bundle,))
    return frozenset(record for (record,) in rows)


def _record(line: bytes) -> IndicatorRecord | None:
    # Lines of other kinds of bundle (a recall, a request) are no indicators.
    try:
        return _decode(line)
    except msgspec.MsgspecError:
        return None
