"""Acknowledgements at the hub: found quickly, and given out in pages that a desk can read."""

import itertools
import secrets
from collections.abc import Iterator

from sqlalchemy import event, insert
from tests.support.hub_world import Desk, World

from accord.desk.exchange.client import MAX_JSON
from accord.hub.bundles.tables import AcknowledgementRow
from accord.kernel.statements.acknowledgement import (
    MAX_ACKNOWLEDGEMENT,
    Acknowledgement,
    Item,
    Outcome,
    sign_acknowledgement,
)

STATEMENT = "application/vnd.accord.statement+json"


def put(world: World, sender: Desk, recipient: Desk, sizes: list[int]) -> None:
    """Store statements of these sizes, as the hub keeps them."""
    rows = [
        {
            "sender": sender.org,
            "recipient": recipient.org,
            "at": 1,
            "number": 1,
            "digest": secrets.token_bytes(32),
            "statement": secrets.token_bytes(size),
        }
        for size in sizes
    ]
    world.services.writer.run(
        lambda connection: connection.execute(insert(AcknowledgementRow), rows)
    )


def pages(desk: Desk, limit: int) -> Iterator[list[int]]:
    after, more = 0, True
    while more:
        answer = desk.get("/v1/acknowledgements", f"after={after}&limit={limit}")
        assert len(answer.content) <= MAX_JSON
        page = answer.json()
        yield [item["seq"] for item in page["items"]]
        after, more = page["next"], page["more"]


def test_long_statements_make_short_pages(world: World, bank: Desk, police: Desk) -> None:
    put(world, bank, police, [MAX_ACKNOWLEDGEMENT] * 9 + [10] * 5)
    found = list(pages(bank, 100))
    assert list(itertools.chain(*found)) == list(range(1, 15))
    assert len(found) > 1


def test_the_last_full_page_says_that_nothing_follows(
    world: World, bank: Desk, police: Desk
) -> None:
    put(world, bank, police, [10] * 6)
    assert list(pages(bank, 3)) == [[1, 2, 3], [4, 5, 6]]
    assert list(pages(bank, 1000)) == [[1, 2, 3, 4, 5, 6]]
    assert list(pages(bank, 0)) == [[1], [2], [3], [4], [5], [6]]


def test_others_see_none_of_them(world: World, bank: Desk, police: Desk) -> None:
    put(world, bank, police, [10])
    assert list(pages(police, 10)) == [[]]


def test_naming_a_bundle_does_not_walk_over_all_that_was_received(
    world: World, bank: Desk, police: Desk, engine: str
) -> None:
    bundle_id, raw = bank.seal(police)
    bank.put_bundle(raw, bundle_id)
    asked: list[tuple[str, object]] = []

    def note(*arguments: object) -> None:
        statement, parameters = str(arguments[2]), arguments[3]
        if "bundles.manifest = " in statement:
            asked.append((statement, parameters))

    event.listen(world.services.database.writing, "before_cursor_execute", note)
    said = Acknowledgement(
        org=police.org,
        created=world.clock(),
        items=(Item(bundle=bundle_id, manifest=bytes(32), state=Outcome.OPENED, time=1),),
    )
    statement = sign_acknowledgement(said, police.sig)
    assert police.send("POST", "/v1/acknowledgements", statement, STATEMENT).status_code == 404
    [(query, parameters)] = asked
    explain = "EXPLAIN QUERY PLAN" if engine == "sqlite" else "EXPLAIN"
    with world.services.database.reading.connect() as connection:
        if engine == "postgresql":  # its planner walks over tables that are as small as these
            connection.exec_driver_sql("SET enable_seqscan = off")
        plan = [row[-1] for row in connection.exec_driver_sql(f"{explain} {query}", parameters)]
    assert any("ix_bundles_bundle_id" in step for step in plan)
    assert not any("SCAN" in step or "Seq Scan" in step for step in plan)
