import os
import subprocess
import sys

# A row for each length of a text: those of 256 and 512 bytes fill astropy's buffer to the last byte.
PROGRAM = """
import pyarrow as pa
from tasks.archives.upload import votable
body = votable(pa.table({"source_id": range(600), "name": ["x" * n for n in range(600)]}))
print(body.count(b"<TR>"))
"""


def test_no_row_of_an_upload_is_written_past_its_buffer():
    """Python's own check of the ends of blocks: without it such a byte shows as a crash much later, or not at all."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env={**os.environ, "PYTHONMALLOC": "debug"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (done.returncode, done.stdout) == (0, "600\n"), done.stderr[-2000:]
