"""Write tests/data/old_lake.tar.xz: a small lake as an older program left it, with the answers of its archives.

Run by hand, from a checkout of the code that is to have written the lake:
`PYTHONPATH=/path/to/that/checkout python tests/data/make_old_lake.py tests/data/old_lake.tar.xz`.
The lake in the repository was written by commit 06f93a4 (November 2026).
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

import zstandard

# One tile of the sky, so that each table is one file: its header weighs more than the rows of two dozen stars.
SETTINGS = (
    "source.replica.n_objects=250", "source.sample.tiles=[3]", "source.sample.tile_order=0",
    "source.sample.random_index=null", "limit=24", "training.n_trees=10", "training.n_folds=2",
    "training.min_labels=10", "training.quantities=[teff_k]", "training.network.hidden=2",
    "training.network.max_training_epochs=1", "features.max_frequency=5", "compute.n_workers=1",
)  # fmt: skip
KEPT = ("lake.json", "tables", "raw", "models", "runs")


def main(archive: Path) -> None:
    """Refresh a lake with the code on PYTHONPATH and pack what a later refresh reads of it."""
    with tempfile.TemporaryDirectory() as place:
        lake = Path(place) / "lake"
        settings = [word for setting in SETTINGS for word in ("--set", setting)]
        command = [sys.executable, "-m", "flows.cli", "refresh", "demo", "--lake", lake, "--release", lake / "release"]
        subprocess.run([*command, *settings], check=True)
        for blob in lake.glob("raw/blobs/*/*.zst"):
            compress_more(blob)
        for name in [path.name for path in lake.iterdir() if path.name not in KEPT]:
            shutil.rmtree(lake / name)
        with tarfile.open(archive, "w:xz", preset=9) as tar:
            tar.add(lake, "lake")


def compress_more(blob: Path) -> None:
    """The same answer in fewer bytes: lakes compress for speed."""
    answer = zstandard.ZstdDecompressor().decompress(blob.read_bytes())
    blob.write_bytes(zstandard.ZstdCompressor(level=22).compress(answer))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
