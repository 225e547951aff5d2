"""org.json as the Java clients use it: getters that throw for what is missing, null, or of another type."""

from __future__ import annotations

import json
from typing import Any

from clients.failing import Broken


class JSONException(Broken):
    """org.json.JSONException."""


class NullPointerException(Broken):
    """A method called on null."""


class JSONObject:
    """`None` stands for JSONObject.NULL: a key that is there and null is `has`, but no getter takes it."""

    def __init__(self, fields: dict[str, Any]) -> None:
        self._fields = fields

    @classmethod
    def parse(cls, raw: bytes) -> JSONObject:
        try:
            value = json.loads(raw.decode())
        except ValueError as error:
            raise JSONException(f"A JSONObject text must begin with '{{': {error}") from None
        if not isinstance(value, dict):
            raise JSONException("A JSONObject text must begin with '{'")
        return cls(value)

    def has(self, name: str) -> bool:
        return name in self._fields

    def is_null(self, name: str) -> bool:
        """True also for what is missing."""
        return self._fields.get(name) is None

    def get_string(self, name: str) -> str:
        value = self._get(name)
        if not isinstance(value, str):
            raise JSONException(f'JSONObject["{name}"] is not a string.')
        return value

    def get_int(self, name: str) -> int:
        """Digits in a string are taken, as org.json does."""
        return _int(self._get(name), f'JSONObject["{name}"]')

    def get_object(self, name: str) -> JSONObject:
        value = self._get(name)
        if not isinstance(value, dict):
            raise JSONException(f'JSONObject["{name}"] is not a JSONObject.')
        return JSONObject(value)

    def get_array(self, name: str) -> JSONArray:
        value = self._get(name)
        if not isinstance(value, list):
            raise JSONException(f'JSONObject["{name}"] is not a JSONArray.')
        return JSONArray(value)

    def opt_string(self, name: str, default: str | None = None) -> str | None:
        value = self._fields.get(name)
        return default if value is None else str(value)

    def opt_int(self, name: str, default: int = 0) -> int:
        try:
            return self.get_int(name)
        except JSONException:
            return default

    def _get(self, name: str) -> Any:
        if name not in self._fields:
            raise JSONException(f'JSONObject["{name}"] not found.')
        return self._fields[name]


class JSONArray:
    def __init__(self, items: list[Any]) -> None:
        self._items = items

    def __len__(self) -> int:
        return len(self._items)

    def objects(self) -> list[JSONObject]:
        for position, item in enumerate(self._items):
            if not isinstance(item, dict):
                raise JSONException(f"JSONArray[{position}] is not a JSONObject.")
        return [JSONObject(item) for item in self._items]

    def get_string(self, position: int) -> str:
        if position >= len(self._items):
            raise JSONException(f"JSONArray[{position}] not found.")
        value = self._items[position]
        if not isinstance(value, str):
            raise JSONException(f"JSONArray[{position}] is not a string.")
        return value


def _int(value: Any, where: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise JSONException(f"{where} is not an int.")
    try:
        return int(value)
    except ValueError:
        raise JSONException(f"{where} is not an int.") from None


def encoded(body: dict[str, Any]) -> bytes:
    """`new StringEntity(json)` without a charset: ISO-8859-1, and `?` for what it does not have."""
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode("iso-8859-1", "replace")
