"""Rows as what Python programs work with: a pandas DataFrame, an Arrow table, a dict of lists."""

from typing import Any, Dict, Iterable, List, Mapping, Optional, Sequence

from .errors import MissingDependency

FORMATS = ("pandas", "arrow", "dict", "rows")

ROW_TYPES: Dict[str, str] = {
    "key": "BIGINT",
    "id": "VARCHAR",
    "image": "VARCHAR",
    "image_index": "INTEGER",
    "item_index": "BIGINT",
    "folder": "VARCHAR",
    "status": "VARCHAR",
    "error": "VARCHAR",
    "skipped": "MAP(VARCHAR, VARCHAR)",
    "width": "INTEGER",
    "height": "INTEGER",
    "format": "VARCHAR",
    "bytes": "BIGINT",
    "modified": "TIMESTAMP",
    "content_hash": "VARCHAR",
    "text_length": "BIGINT",
    "word_count": "BIGINT",
    "turns": "BIGINT",
    "image_count": "INTEGER",
    "image_tokens": "BIGINT",
    "text_hash": "VARCHAR",
}
"""The SQL types of columns that every row has; :func:`_kind` finds out those of others."""


def frame(
    rows: Iterable[Mapping[str, Any]], format: str, types: Optional[Mapping[str, str]] = None, scores: Sequence[str] = ()
) -> Any:
    """Makes one table of rows.

    Args:
        rows: Rows with the same columns.
        format: ``pandas``, ``arrow``, ``dict`` (a list per column) or ``rows`` (a list of dicts).
        types: The SQL types of the columns where they are known.
        scores: Names of columns that are scores, where the types are not known.

    Returns:
        For ``pandas`` a DataFrame: whole numbers are ``Int64``, scores ``float64`` with the digits that the program writes, truth values ``bool``,
        ``modified`` is ``datetime64[ns, UTC]``. For ``arrow`` a ``pyarrow.Table`` with the types of score tables (scores ``float32``).

    Raises:
        MissingDependency: pandas or pyarrow is not installed.
        ValueError: The format is another.
    """
    check_format(format)
    rows = list(rows)
    if format == "rows":
        return [dict(row) for row in rows]
    columns = _columns(rows, types)
    if format == "dict":
        return columns
    kinds = {name: (types or {}).get(name) or _kind(name, columns, scores) for name in columns}
    return _pandas(columns, kinds) if format == "pandas" else _arrow(columns, kinds)


def check_format(format: str) -> None:
    """Refuses a format that is not known, or needs a library that is not there, before any work.

    Raises:
        MissingDependency: pandas or pyarrow is not installed.
        ValueError: The format is another.
    """
    if format not in FORMATS:
        raise ValueError("Expected the format %s; found %r." % (", ".join(FORMATS), format))
    library = {"pandas": "pandas", "arrow": "pyarrow"}.get(format)
    if library is not None:
        try:
            __import__(library)
        except ImportError as error:
            raise MissingDependency("The format %r needs %s, which is not installed; format='dict' needs nothing." % (format, library)) from error


def are_known(rows: Sequence[Mapping[str, Any]]) -> bool:
    """Whether rows tell their columns and the types of these by themselves: there are rows, and each column has a value or a known type."""
    return bool(rows) and all(
        name in ROW_TYPES or name.endswith("_quality") or name + "_quality" in rows[0] or any(row.get(name) is not None for row in rows)
        for name in rows[0]
    )


def _columns(rows: Sequence[Mapping[str, Any]], types: Optional[Mapping[str, str]]) -> Dict[str, List[Any]]:
    names = list(types) if types else list(rows[0]) if rows else list(ROW_TYPES)
    return {name: [row.get(name) for row in rows] for name in names}


def _kind(name: str, columns: Mapping[str, List[Any]], scores: Sequence[str]) -> str:
    """The SQL type of a column. A score may be whole in every row and is a float all the same."""
    if name in ROW_TYPES:
        return ROW_TYPES[name]
    found = [value for value in columns[name] if value is not None]
    if any(isinstance(value, str) for value in found):
        return "VARCHAR"
    if any(isinstance(value, list) for value in found):
        return "FLOAT[]"
    if name in scores or name.endswith("_quality") or name + "_quality" in columns:
        return "FLOAT"
    if found and all(isinstance(value, bool) for value in found):
        return "BOOLEAN"
    return "BIGINT" if found and all(isinstance(value, int) for value in found) else "FLOAT"


def _pandas(columns: Dict[str, List[Any]], kinds: Mapping[str, str]) -> Any:
    import pandas

    def series(name: str, values: List[Any]) -> Any:
        kind = kinds[name]
        if kind in ("INTEGER", "BIGINT"):
            return pandas.array(values, dtype="Int64")
        if kind in ("FLOAT", "DOUBLE"):
            return pandas.Series(values, dtype="float64")
        if kind == "TIMESTAMP":
            return pandas.to_datetime(pandas.Series(values, dtype="object"), utc=True)
        if kind == "BOOLEAN":
            return pandas.Series(values, dtype="boolean" if None in values else "bool")
        return pandas.Series(values, dtype="object")

    return pandas.DataFrame({name: series(name, values) for name, values in columns.items()})


def _arrow(columns: Dict[str, List[Any]], kinds: Mapping[str, str]) -> Any:
    import datetime

    import pyarrow

    def array(name: str, values: List[Any]) -> Any:
        kind = kinds[name]
        if kind == "TIMESTAMP":
            times = [None if value is None else datetime.datetime.fromisoformat(value) for value in values]
            return pyarrow.array(times, type=pyarrow.timestamp("us"))
        if kind.startswith("MAP"):
            maps = [None if value is None else list(value.items()) for value in values]
            return pyarrow.array(maps, type=pyarrow.map_(pyarrow.string(), pyarrow.string()))
        if kind.startswith("FLOAT["):
            return pyarrow.array(values, type=pyarrow.list_(pyarrow.float32()))
        types = {
            "INTEGER": pyarrow.int32(), "BIGINT": pyarrow.int64(), "FLOAT": pyarrow.float32(), "DOUBLE": pyarrow.float64(), "BOOLEAN": pyarrow.bool_()
        }
        return pyarrow.array(values, type=types.get(kind, pyarrow.string()))

    return pyarrow.table({name: array(name, values) for name, values in columns.items()})
