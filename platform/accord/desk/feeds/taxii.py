"""The resources of a read-only TAXII 2.1 server: what each path answers, without any web framework.

Source: TAXII 2.1 (OASIS Standard, 10 June 2021), sections 3 to 5; the clients that this was made to
work with are named in docs/formats/taxii.md.
"""

import secrets
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NoReturn

import msgspec

from accord.desk.feeds.objects import Kept, find
from accord.desk.feeds.query import ALL_MATCHES, Question, cursor, parse_question, timestamp
from accord.desk.storage import Vault
from accord.desk.storage.vault import put_setting
from accord.kernel.errors import NotFound, Refused

MEDIA_TYPE: Final = "application/taxii+json;version=2.1"
STIX_TYPE: Final = "application/stix+json;version=2.1"
ROOT: Final = "/taxii2/accord/"
_SETTING: Final = "taxii"
_MAX_CONTENT: Final = 1024 * 1024

Arguments = Mapping[str, Sequence[str]]


class _Settings(msgspec.Struct, frozen=True, kw_only=True):
    key: bytes
    indicators: str
    observables: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A body and the headers that belong to it."""

    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Collection:
    id: str
    alias: str
    title: str
    words: str
    observables: bool


class Taxii:
    """Answers the paths of one desk's TAXII server."""

    def __init__(self, vault: Vault, *, title: str) -> None:
        """Read, or make once, the ids of the collections and the key of the cursors."""
        self._vault = vault
        self._title = title
        settings = _settings(vault)
        self._key = settings.key
        self._collections = (
            _Collection(
                id=settings.indicators,
                alias="indicators",
                title="Indicators",
                words="Indicators alone: for Sentinel, XSOAR and MISP.",
                observables=False,
            ),
            _Collection(
                id=settings.observables,
                alias="observables",
                title="Indicators with observables",
                words="Indicators, their observables and relationships: for OpenCTI.",
                observables=True,
            ),
        )

    @property
    def indicators(self) -> str:
        """The id of the collection of indicators."""
        return self._collections[0].id

    @property
    def observables(self) -> str:
        """The id of the collection of indicators with observables."""
        return self._collections[1].id

    def discovery(self, base: str) -> Answer:
        """4.1: the server; ``base`` is scheme and authority."""
        root = f"{base}{ROOT}"
        return _answer(
            {
                "title": self._title,
                "description": "What was shared with this organisation. Read-only.",
                "default": root,
                "api_roots": [root],
            }
        )

    def root(self) -> Answer:
        """4.2: the one API root."""
        return _answer(
            {
                "title": self._title,
                "versions": [MEDIA_TYPE],
                "max_content_length": _MAX_CONTENT,
            }
        )

    def collections(self) -> Answer:
        """5.1: both collections."""
        return _answer({"collections": [_described(one) for one in self._collections]})

    def collection(self, name: str) -> Answer:
        """5.2: one collection, by id or alias."""
        return _answer(_described(self._find(name)))

    def objects(self, name: str, arguments: Arguments, object_id: str | None = None) -> Answer:
        """5.4 and 5.6: a page of objects, or the versions asked for of one.

        Raises:
            NotFound: ``not_found`` for a collection or object that is not there.
        """
        page = self._page(name, arguments, object_id, ALL_MATCHES)
        parts = [b'{"more":true,"next":"%s"' % page.next.encode()] if page.next else []
        if not page.next and page.found:
            parts = [b'{"more":false']
        if not page.found:
            return Answer(body=b"{}")
        body = parts[0] + b',"objects":[' + b",".join([one.data for one in page.found]) + b"]}"
        return Answer(body=body, headers=page.headers)

    def manifest(self, name: str, arguments: Arguments) -> Answer:
        """5.3: the same page as records of what there is."""
        page = self._page(name, arguments, None, ALL_MATCHES)
        records = [
            {
                "id": one.id,
                "date_added": timestamp(one.added),
                "version": timestamp(one.version * 1000),
                "media_type": STIX_TYPE,
            }
            for one in page.found
        ]
        return _answer(_paged("objects", records, page), page.headers)

    def versions(self, name: str, object_id: str, arguments: Arguments) -> Answer:
        """5.8: the versions of one object.

        Raises:
            NotFound: ``not_found``.
        """
        page = self._page(
            name, arguments, object_id, frozenset({"spec_version"}), versions=("all",)
        )
        found = [timestamp(one.version * 1000) for one in page.found]
        return _answer(_paged("versions", found, page), page.headers)

    def refuse_writing(self, name: str) -> NoReturn:
        """5.5 and 5.7: nothing is written or deleted over TAXII.

        Raises:
            NotFound: ``not_found`` for an unknown collection.
            Refused: ``read_only``.
        """
        self._find(name)
        raise Refused(
            "read_only",
            "This server is read-only.",
            next_step="Records come in as signed bundles only.",
        )

    def _find(self, name: str) -> _Collection:
        for one in self._collections:
            if name in (one.id, one.alias):
                return one
        raise NotFound("not_found", "There is no such collection.")

    def _page(
        self,
        name: str,
        arguments: Arguments,
        object_id: str | None,
        matches: frozenset[str],
        versions: tuple[int | str, ...] | None = None,
    ) -> "_Page":
        collection = self._find(name)
        if object_id is not None:
            matches -= {"id", "type"}
        asked = parse_question(arguments, collection=collection.id, key=self._key, matches=matches)
        ids = asked.ids if object_id is None else (object_id,)
        found = (
            []
            if asked.none
            else find(
                self._vault,
                observables=collection.observables,
                after=asked.after,
                limit=asked.limit + 1,
                ids=ids,
                types=asked.types,
                versions=versions or asked.versions,
            )
        )
        if object_id is not None and not found and not self._exists(collection, object_id):
            raise NotFound("not_found", "There is no such object.")
        return self._cut(collection, asked, found)

    def _exists(self, collection: _Collection, object_id: str) -> bool:
        return bool(
            find(
                self._vault,
                observables=collection.observables,
                after=0,
                limit=1,
                ids=(object_id,),
                versions=("all",),
            )
        )

    def _cut(self, collection: _Collection, asked: Question, found: list[Kept]) -> "_Page":
        page = found[: asked.limit]
        following = ""
        if len(found) > asked.limit:
            following = cursor(asked, after=page[-1].added, collection=collection.id, key=self._key)
        headers = {}
        if page:
            headers = {
                "X-TAXII-Date-Added-First": timestamp(page[0].added),
                "X-TAXII-Date-Added-Last": timestamp(page[-1].added),
            }
        return _Page(found=page, next=following, headers=headers)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Page:
    found: list[Kept]
    next: str
    headers: Mapping[str, str]


def _paged(name: str, items: Sequence[object], page: _Page) -> dict[str, Any]:
    """Return a resource with its list; an empty list is left out (TAXII 2.1, 2)."""
    if not items:
        return {}
    made: dict[str, Any] = {"more": bool(page.next), name: items}
    if page.next:
        made["next"] = page.next
    return made


def _described(one: _Collection) -> dict[str, object]:
    return {
        "id": one.id,
        "title": one.title,
        "description": one.words,
        "alias": one.alias,
        "can_read": True,
        "can_write": False,
        "media_types": [STIX_TYPE],
    }


def _answer(resource: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> Answer:
    return Answer(body=msgspec.json.encode(resource), headers=headers or {})


def _settings(vault: Vault) -> _Settings:
    stored = vault.setting(_SETTING)
    if stored is None:
        made = _Settings(
            key=secrets.token_bytes(32),
            indicators=str(uuid.uuid4()),
            observables=str(uuid.uuid4()),
        )
        with vault.transaction() as connection:
            if vault.setting(_SETTING) is None:
                put_setting(connection, _SETTING, msgspec.json.encode(made))
        stored = vault.setting(_SETTING) or b""
    return msgspec.json.decode(stored, type=_Settings)
