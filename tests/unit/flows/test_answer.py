"""A query's answer in every form keeps ids whole, lists readable and nulls null."""

import json
import os
import threading
from pathlib import Path

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

from flows.answer import choose_form, write
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


@pytest.mark.parametrize(("form", "out", "expected"), [
    (None, None, "table"), ("csv", None, "csv"), (None, "a.csv", "csv"), (None, "A.JSONL", "json"),
    (None, "a.pq", "parquet"), (None, "a.txt", "table"), (None, "page", "table"), ("csv", "a.dat", "csv"),
    ("json", "a.json", "json"),
])  # fmt: skip
def test_the_ending_of_a_file_says_its_form(form, out, expected):
    assert choose_form(form, out and Path(out)) == expected


def test_an_ending_that_says_another_form_or_none_is_refused():
    with pytest.raises(BadInput, match=r"a.csv ends like csv and --format says json"):
        choose_form("json", Path("a.csv"))
    with pytest.raises(BadInput, match=r"as .fits: name a file in .csv, .json, .*, or give --format"):
        choose_form(None, Path("a.fits"))


def test_a_row_that_is_too_wide_has_a_line_for_each_field(capsys):
    names = [f"a_long_name_of_column_{k:02d}" for k in range(12)]
    wide = pa.table({name: [f"value {k}" for k in range(7)] for name in names})
    write(wide, "table", None)
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].split() == [names[0], "value", "0"] and lines[12].split() == [names[-1], "value", "0"]
    assert lines[13].strip() == "" and lines[14].split() == [names[0], "value", "1"]
    assert "7 rows, the first 5 shown" in lines[-1] and len(lines) == 1 + 5 * 13
    write(wide.select(names[:3]), "table", None)
    assert len(capsys.readouterr().out.splitlines()) == 1 + 7 + 1


@pytest.mark.parametrize("form", ["table", "csv", "json"])
def test_standard_output_stays_open(form, capsysbinary):
    write(ANSWER, form, None)
    write(ANSWER, form, None)
    assert capsysbinary.readouterr().out.count(b"RR Lyr") == 2


@pytest.mark.parametrize("form", ["table", "csv", "json", "parquet"])
def test_a_pipe_and_a_link_stay_what_they_are(tmp_path, form):
    (tmp_path / "real").touch()
    (tmp_path / "link").symlink_to("real")
    os.mkfifo(tmp_path / "pipe")
    got = []
    reader = threading.Thread(target=lambda: got.append((tmp_path / "pipe").read_bytes()))
    reader.start()
    for name in ("link", "pipe"):
        write(ANSWER, form, tmp_path / name)
    reader.join(10)
    assert got == [(tmp_path / "real").read_bytes()] and b"RR Lyr" in got[0]
    assert (tmp_path / "link").is_symlink() and (tmp_path / "pipe").is_fifo()
