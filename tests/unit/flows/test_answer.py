"""A query's answer in every form keeps ids whole, lists readable and nulls null."""

import json

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

from flows.answer import write
from schemas import BadInput

BIG = 2**62 + 1
ANSWER = pa.table(
    {"source_id": [BIG, 7], "period_day": [0.5, None], "mag": [[1.5, 2.5], []], "class": ["RR Lyr", "δ Sct"]}
)


def test_json_keeps_ids_as_text_and_nulls(tmp_path):
    write(ANSWER, "json", tmp_path / "a.json")
    rows = [json.loads(line) for line in (tmp_path / "a.json").read_text().splitlines()]
    assert rows[0] == {"source_id": str(BIG), "period_day": 0.5, "mag": [1.5, 2.5], "class": "RR Lyr"}
    assert rows[1]["period_day"] is None


def test_csv_and_parquet_come_back(tmp_path):
    write(ANSWER, "csv", tmp_path / "a.csv")
    back = pyarrow.csv.read_csv(tmp_path / "a.csv")
    assert back["source_id"].to_pylist() == [BIG, 7] and json.loads(back["mag"][0].as_py()) == [1.5, 2.5]
    write(ANSWER, "parquet", tmp_path / "a.parquet")
    assert pq.read_table(tmp_path / "a.parquet").equals(ANSWER)
    with pytest.raises(BadInput, match="--out"):
        write(ANSWER, "parquet", None)


def test_a_long_table_says_that_more_follows(tmp_path, capsys):
    write(pa.table({"n": range(60)}), "table", None)
    printed = capsys.readouterr().out
    assert "60 rows, the first 50 shown" in printed and "\n 49" in printed and "\n 50" not in printed
