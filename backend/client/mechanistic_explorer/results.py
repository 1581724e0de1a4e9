"""From JSON to dataclasses and back; what all answers can do."""

from __future__ import annotations

import dataclasses
import functools
import types
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, Union, get_args, get_origin, get_type_hints

from mechanistic_explorer.errors import UnexpectedAnswer

if TYPE_CHECKING:
    import pandas

Decoder = Callable[[Any], Any]
MAX_SHOWN_CHARS = 60


class Result:
    """An answer of the server, or a part of one."""

    def to_dict(self) -> dict[str, Any]:
        """The same as JSON, with the names of the API."""
        found: dict[str, Any] = encode(self)
        return found

    def __repr__(self) -> str:
        """Long values are cut: an answer may hold a million numbers."""
        return f"{type(self).__name__}({', '.join(self._shown_fields())})"

    def _shown_fields(self) -> list[str]:
        assert dataclasses.is_dataclass(self)
        shown = []
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if isinstance(value, (list, dict)) and len(value) > 4:
                text = f"<{len(value)} items>"
            else:
                text = repr(value)
            cut = text if len(text) <= MAX_SHOWN_CHARS else f"{text[: MAX_SHOWN_CHARS - 1]}…"
            shown.append(f"{field.name}={cut}")
        return shown


class TableResult(Result):
    """An answer that is a table."""

    def rows(self) -> list[dict[str, Any]]:
        """The table as dictionaries, one for each row."""
        from mechanistic_explorer.frames import rows_of

        return rows_of(self)

    def to_dataframe(self) -> pandas.DataFrame:
        """The table as a pandas DataFrame. Raises ImportError without pandas."""
        try:
            import pandas
        except ImportError as missing:
            raise ImportError(
                'to_dataframe() needs pandas: pip install "mechanistic-explorer[pandas]"'
            ) from missing
        rows = self.rows()
        frame = pandas.DataFrame(rows)
        for name in frame.columns:
            values = [row.get(name) for row in rows]
            if None in values and {type(value) for value in values} == {int, type(None)}:
                # pandas would make numbers with a fraction of whole numbers that have gaps.
                frame[name] = pandas.array(values, dtype="Int64")
        return frame


class DrawnResult(Result):
    """An answer that notebooks draw."""

    def _repr_html_(self) -> str:
        from mechanistic_explorer.notebook_html import html_of

        return html_of(self)


# --- to JSON ---------------------------------------------------------------------------------------


def encode(value: Any) -> Any:
    """JSON of a request or an answer; what an answer did not hold is left out."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {
            field.metadata.get("json", field.name): encode(getattr(value, field.name))
            for field in dataclasses.fields(value)
            if field.default is not None or getattr(value, field.name) is not None
        }
    if isinstance(value, Mapping):
        return {str(key): encode(inner) for key, inner in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, (str, bytes)):
        return [encode(inner) for inner in value]
    if hasattr(value, "tolist"):  # a number or an array of NumPy
        return value.tolist()
    return value


# --- from JSON -------------------------------------------------------------------------------------


def decode(kind: Any, value: Any) -> Any:
    """A value of this type. Raises UnexpectedAnswer where the JSON does not have its form."""
    convert = decoder(kind)
    try:
        return value if convert is None else convert(value)
    except (TypeError, KeyError, ValueError, AttributeError) as wrong:
        raise UnexpectedAnswer(
            f"The server's answer is no {getattr(kind, '__name__', 'answer')} of this version"
            f" of the client ({type(wrong).__name__}: {wrong}). Do their versions differ?"
        ) from wrong


@functools.cache
def decoder(kind: Any) -> Decoder | None:
    """What makes a value of this type from JSON; None where JSON has it already.

    Columns of numbers pass through untouched, however long they are.
    """
    if dataclasses.is_dataclass(kind) and isinstance(kind, type):
        return functools.partial(decode_dataclass, kind)
    origin = get_origin(kind)
    if origin in (Union, types.UnionType):
        return union_decoder(get_args(kind))
    if origin is list:
        inner = decoder(get_args(kind)[0])
        return inner and functools.partial(decode_items, inner)
    if origin is tuple:
        return tuple
    if origin is dict:
        inner = decoder(get_args(kind)[1])
        return inner and functools.partial(decode_values, inner)
    return None


def decode_items(inner: Decoder, values: list[Any]) -> list[Any]:
    return [inner(value) for value in values]


def decode_values(inner: Decoder, values: dict[str, Any]) -> dict[str, Any]:
    return {key: inner(value) for key, value in values.items()}


def union_decoder(options: tuple[Any, ...]) -> Decoder | None:
    """`X | None`, events by their `type`, or plain values."""
    classes: list[Any] = [option for option in options if dataclasses.is_dataclass(option)]
    lists = [decoder(option) for option in options if get_origin(option) in (list, tuple)]
    by_tag = {tag: option for option in classes for tag in tags_of(option)}
    of_list = next((inner for inner in lists if inner is not None), None)
    if not classes and of_list is None:
        return None

    def convert(value: Any) -> Any:
        if isinstance(value, dict) and classes:
            tag = str(value.get("type", value.get("kind")))
            chosen = classes[0] if len(classes) == 1 else by_tag[tag]
            return decode_dataclass(chosen, value)
        return of_list(value) if isinstance(value, list) and of_list else value

    return convert


@functools.cache
def fields_of(kind: type) -> tuple[tuple[str, str, Decoder | None, bool], ...]:
    """Name, name in JSON, decoder and whether it must be there, of each field."""
    assert dataclasses.is_dataclass(kind)
    hints = get_type_hints(kind)
    return tuple(
        (
            field.name,
            field.metadata.get("json", field.name),
            decoder(hints[field.name]),
            field.default is dataclasses.MISSING,
        )
        for field in dataclasses.fields(kind)
    )


def tags_of(kind: type) -> list[str]:
    """Values of its field `type` or `kind`, which tells the members of a union apart."""
    hints = get_type_hints(kind)
    tag = hints.get("type", hints.get("kind"))
    return list(get_args(tag)) if get_origin(tag) is Literal else []


def decode_dataclass(kind: Any, value: Mapping[str, Any]) -> Any:
    """A dataclass. Fields that this version does not know are left out."""
    found: dict[str, Any] = {}
    for name, json_name, convert, is_required in fields_of(kind):
        if json_name in value:
            inner = value[json_name]
            found[name] = inner if convert is None else convert(inner)
        elif is_required:
            raise KeyError(f"{kind.__name__}.{json_name}")
    return kind(**found)
