"""--help, tables and query start at once: they import no orchestrator, cluster or network library."""

import subprocess
import sys

import pyarrow as pa
import pytest

from lakehouse.delta.store import Lake
from schemas import TABLES

HEAVY = ("prefect", "torch", "dask", "distributed", "sklearn", "astropy")
PROBE = """
import sys
from typer.testing import CliRunner
from flows.cli import app
result = CliRunner().invoke(app, sys.argv[1:])
assert result.exit_code == 0, result.output
print(",".join(name for name in {heavy} if name in sys.modules))
"""


@pytest.fixture(scope="module")
def lake(tmp_path_factory):
    place = Lake(tmp_path_factory.mktemp("lake"), create=True)
    spec = TABLES["core_dataset__band"]
    row = {"dataset": "d", "band": 0, "name": "G", "survey": "gaia", "system": "Vega", "wavelength_nm": 622.0}
    place.append("run", spec, pa.Table.from_pylist([row], schema=spec.arrow()))
    return place.path


@pytest.mark.parametrize(
    "words",
    [["--help"], ["presets"], ["tables"], ["describe", "core_dataset__band"], ["query", "FROM core_dataset__band"]],
    ids=lambda words: words[0],
)
def test_light_commands_import_nothing_heavy(words, lake):
    words = words if words[0] in ("--help", "presets") else [*words, "--lake", str(lake)]
    done = subprocess.run([sys.executable, "-c", PROBE.format(heavy=HEAVY), *words], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == ""
