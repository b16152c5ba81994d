"""Fields and the base of all schemas: one spelling for each value, nothing coerced."""

import re
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, NoReturn, TypeVar

from marshmallow import RAISE, Schema, ValidationError, fields, validate

from accord.kernel.encoding import b64decode, b64encode
from accord.kernel.errors import AccordError

MAX_U63 = 2**63 - 1
"""Largest log index or sequence number."""

_Value = TypeVar("_Value")
_DECIMAL = re.compile(r"0|[1-9][0-9]{0,18}")


class StrictSchema(Schema):
    """Refuses names that it does not know, in bodies and in queries."""

    class Meta:
        """Settings of marshmallow."""

        unknown = RAISE
        ordered: ClassVar[bool] = True


class Base64Bytes(fields.Field[bytes]):
    """Bytes as canonical padded base64 text.

    Args:
        limit: most bytes; checked on the text before decoding.
        length: exact number of bytes, if it is fixed.
    """

    def __init__(self, *, limit: int, length: int | None = None, **kwargs: Any) -> None:  # noqa: ANN401 - marshmallow's own arguments
        """Keep the two bounds."""
        metadata = {"format": "byte", "type": "string", "maxLength": _text_length(limit)}
        super().__init__(metadata=metadata | dict(kwargs.pop("metadata", {})), **kwargs)
        self.limit = limit
        self.length = length

    def _serialize(self, value: bytes | None, attr: str | None, obj: Any, **kwargs: Any) -> Any:  # noqa: ANN401, ARG002
        return None if value is None else b64encode(value)

    def _deserialize(
        self,
        value: Any,  # noqa: ANN401
        attr: str | None,  # noqa: ARG002
        data: Mapping[str, Any] | None,  # noqa: ARG002
        **kwargs: Any,  # noqa: ANN401, ARG002
    ) -> bytes:
        if isinstance(value, str) and len(value) > _text_length(self.limit):
            _refuse(f"longer than {self.limit} bytes")
        return _checked(lambda: b64decode(value, length=self.length))


class CheckedText(fields.Field[str]):
    """Text that a parser of the kernel or of ``paths`` accepts as it is.

    Args:
        parse: returns the text or raises an error of the tree.
    """

    def __init__(self, parse: Callable[[object], str], **kwargs: Any) -> None:  # noqa: ANN401
        """Keep the parser."""
        metadata = {"type": "string"}
        super().__init__(metadata=metadata | dict(kwargs.pop("metadata", {})), **kwargs)
        self.parse = parse

    def _deserialize(
        self,
        value: Any,  # noqa: ANN401
        attr: str | None,  # noqa: ARG002
        data: Mapping[str, Any] | None,  # noqa: ARG002
        **kwargs: Any,  # noqa: ANN401, ARG002
    ) -> str:
        return _checked(lambda: self.parse(value))


class QueryInteger(fields.Field[int]):
    """A whole number in a query: decimal digits, no sign, no leading zero.

    Args:
        largest: inclusive upper bound.
    """

    def __init__(self, *, largest: int, **kwargs: Any) -> None:  # noqa: ANN401
        """Keep the bound."""
        metadata = {"type": "integer", "minimum": 0, "maximum": largest}
        super().__init__(metadata=metadata | dict(kwargs.pop("metadata", {})), **kwargs)
        self.largest = largest

    def _deserialize(
        self,
        value: Any,  # noqa: ANN401
        attr: str | None,  # noqa: ARG002
        data: Mapping[str, Any] | None,  # noqa: ARG002
        **kwargs: Any,  # noqa: ANN401, ARG002
    ) -> int:
        if not isinstance(value, str) or _DECIMAL.fullmatch(value) is None:
            _refuse("not a whole number in decimal digits")
        if int(value) > self.largest:
            _refuse(f"larger than {self.largest}")
        return int(value)


def whole(**kwargs: Any) -> fields.Integer:  # noqa: ANN401
    """Return a field for a log index or sequence number in a body."""
    return fields.Integer(strict=True, validate=validate.Range(0, MAX_U63), **kwargs)


def instant(**kwargs: Any) -> fields.Integer:  # noqa: ANN401
    """Return a field for integer unix seconds in a body."""
    return fields.Integer(strict=True, validate=validate.Range(0, 2**40), **kwargs)


def text(limit: int, **kwargs: Any) -> fields.String:  # noqa: ANN401
    """Return a field for text of 1 to ``limit`` characters."""
    return fields.String(validate=validate.Length(1, limit), **kwargs)


def one_of(*choices: str, **kwargs: Any) -> fields.String:  # noqa: ANN401
    """Return a field for one of ``choices``."""
    return fields.String(validate=validate.OneOf(choices), **kwargs)


def _checked(parse: Callable[[], _Value]) -> _Value:
    try:
        return parse()
    except AccordError as error:
        raise ValidationError(error.message) from error


def _refuse(why: str) -> NoReturn:
    raise ValidationError(why)


def _text_length(size: int) -> int:
    return 4 * ((size + 2) // 3)
