"""Odd settings and odd queries on a finished lake."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from tests.soak.trial import ANSWERED, FAULT, REFUSED, Verdict, run_command

Rng = np.random.Generator
ODD_VALUES = (
    "", "null", "true", "-1", "0", "1e400", ".nan", "10000000000000000000000000", "[]", "{}", "[[]]", "[1, a]",
    "{a: {b: c}}", "text", "'", "[", "!!python/object:os.system x", "2026-12-03", "0x10", "1_000", "*x", "&x a", "é",
    "\"\\u0000\"", "99999999", "tcp://127.0.0.1:99999999", "../..", "3.5", "[demo, demo]", "folder",
)  # fmt: skip
TABLES = (
    "out__catalogue", "core_quarantine__row", "feature_sample__source", "score__value", "run_refresh__stage",
    "out__catalogue@0", "out__catalogue@99", "out__catalogue@x", "nothing", '"out__catalogue"', "lake",
)  # fmt: skip
COLUMNS = (
    "*", "count(*)", "class_pred", "prob_nothing", "max(period_day)", "source_id, source_id", "1/0", "'a\nb'", '"a"',
    "list(ra)", "struct_pack(a := ra)", "NULL", "interval 1 day", "ra AS \"\"", "now()",
)  # fmt: skip
ENDS = (
    "", "WHERE", "LIMIT 3", "LIMIT -1", "WHERE ra > 'x'", "GROUP BY ALL", "ORDER BY 99", "; SELECT 1", "-- é", "/*",
    "WHERE \x00", "UNION SELECT 1", ") x", "LIMIT 0",
)  # fmt: skip
OTHERS = (
    "", ";", "SELECT", "DROP TABLE out__catalogue", "COPY out__catalogue TO '/tmp/argelander_soak.csv'", "PRAGMA x",
    "ATTACH '/tmp/x.db'", "INSTALL httpfs", "SELECT * FROM read_csv('/etc/passwd')", "SET threads = -1",
    "EXPLAIN SELECT 1", "CREATE VIEW v AS SELECT 1", "SELECT * FROM 'nowhere.parquet'", "SELECT unnest(range(3))",
    "DESCRIBE out__catalogue", "WITH RECURSIVE t AS (SELECT 1) SELECT * FROM t", "VALUES (1, 'a'), (2, NULL)",
    "SHOW TABLES", "SUMMARIZE out__catalogue",
)  # fmt: skip


def _pick(rng: Rng, options: Any) -> Any:
    return options[int(rng.integers(len(options)))]


def try_query(rng: Rng, lake: str) -> Verdict:
    """A query put together from parts that need not fit, answered in one of the formats."""
    parts = f"SELECT {_pick(rng, COLUMNS)} FROM {_pick(rng, TABLES)} {_pick(rng, ENDS)}"
    form = ["--format", _pick(rng, ("table", "csv", "json"))]
    return run_command(["query", parts if rng.random() < 0.7 else _pick(rng, OTHERS), "--lake", lake, *form])


def try_setting(rng: Rng) -> Verdict:
    """One or two settings of any type, taken in or refused in one sentence; nothing is run."""
    from pydantic import TypeAdapter

    from flows.parameters import CompleteSettings
    from flows.presets import PRESETS, preset
    from flows.settings import override
    from schemas import BadInput

    tree = preset(_pick(rng, [name for name in PRESETS if name in ("demo", "rrlyrae")])).model_dump()
    keys = list(_list_keys(tree))
    chosen = tuple(f"{_pick(rng, keys)}={_pick(rng, ODD_VALUES)}" for _ in range(int(rng.integers(1, 3))))
    try:
        settings = override(preset("demo"), chosen)
        TypeAdapter(CompleteSettings).validate_python(settings.model_dump(mode="json"))
    except BadInput as error:
        words = str(error)
        return Verdict(REFUSED if "\n" not in words.strip() else FAULT, f"{chosen}: {words}")
    except Exception as error:
        return Verdict(FAULT, f"{chosen}: {error!r}")
    return Verdict(ANSWERED, str(chosen))


def _list_keys(tree: Mapping[str, Any], before: str = "") -> Iterator[str]:
    """Dotted names of all settings, inner ones included."""
    for name, value in tree.items():
        yield before + name
        if isinstance(value, Mapping):
            yield from _list_keys(value, f"{before}{name}.")
