"""What reading a folder of light curves costs, as a ratio to pyarrow reading and sorting the same file.

`python -m benchmarks.local_archive [FOLDER ...]`; a folder that has the name of a preset is read with it.
The floor (`pyarrow.parquet.read_table`, then `sort_by` object and time) keeps everything in memory, checks nothing and
cuts no chunks. Each measurement is a process of its own: best of three, in seconds of processor time (other work on the
machine changes them less), of which so many until the first chunk; peak resident memory above the imports.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

DATA = Path(os.environ.get("ARGELANDER_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))
CHUNK_OBJECTS = 250
MEASURE = """
import json, sys, time
from pathlib import Path
import duckdb, psutil, pyarrow.parquet as pq
from schemas.mapping import load_spec, preset_names
from tasks.folder.local import read_epochs, read_objects

def peak():
    return int(next(l.split()[1] for l in open("/proc/self/status") if l.startswith("VmHWM"))) / 1024

def ours(path, spec):
    ids = read_objects(path, spec).table["object_id"].to_pylist()
    chunks = read_epochs(path, spec, ids, {chunk_objects})
    opened = time.process_time() - start
    return sum(chunk.batch.time.size for chunk in chunks), opened

def floor(path, spec):
    table = pq.read_table(path / spec.lightcurves.file)
    place = table.schema.get_field_index(spec.lightcurves.id)  # sort_by knows no dictionaries
    table = table.set_column(place, spec.lightcurves.id, table[place].cast("string"))
    return table.sort_by([(spec.lightcurves.id, "ascending"), (spec.lightcurves.time, "ascending")]).num_rows, 0.0

path = Path(sys.argv[2])
spec = load_spec(path, path.name if path.name in preset_names() else None)
before = psutil.Process().memory_info().rss / 2**20
start = time.process_time()
n, opened = dict(ours=ours, floor=floor)[sys.argv[1]](path, spec)
print(json.dumps(dict(n=n, seconds=time.process_time() - start, opened=opened, peak=peak() - before)))
"""


def measure(what: str, folder: Path) -> dict[str, float]:
    """Epochs, seconds (best of three), those until the first chunk, and peak memory (MiB) of "ours" or the "floor"."""
    command = [sys.executable, "-c", MEASURE.replace("{chunk_objects}", str(CHUNK_OBJECTS)), what, str(folder)]
    root = Path(__file__).parents[1]
    outputs = [subprocess.run(command, check=True, capture_output=True, cwd=root).stdout for _ in range(3)]
    runs = [json.loads(output.splitlines()[-1]) for output in outputs]
    return min(runs, key=lambda run: run["seconds"])


def main() -> None:
    """One line per folder."""
    folders = [Path(name).resolve() for name in sys.argv[1:]] or [DATA / "css_north", DATA / "ogle_cepheids_vi"]
    if absent := [folder.name for folder in folders if not folder.is_dir()]:
        print(f"local_archive: skipped, no {', '.join(absent)}; set ARGELANDER_DATA or name folders.")
        return
    for folder in folders:
        ours, floor = measure("ours", folder), measure("floor", folder)
        print(f"{folder.name}: {ours['n']:,} epochs in {ours['seconds']:.2f} s ({ours['opened']:.2f} to open it) "
              f"and {ours['peak']:.0f} MiB; floor {floor['seconds']:.2f} s and {floor['peak']:.0f} MiB; ratio "
              f"{ours['seconds'] / floor['seconds']:.2f} in time, {ours['peak'] / floor['peak']:.2f} in memory"
        )  # fmt: skip


if __name__ == "__main__":
    main()
