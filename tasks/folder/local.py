"""A folder of Parquet files as an archive: what it is, its objects, and their light curves.

`read_objects` and `read_epochs` need a mapping (`schemas.dataset.load_spec`); `fingerprint` and `content_hash` say
whether a folder, or one object in it, is still what it was.
"""

from tasks.folder.epochs import EpochChunk, EpochReader, read_epochs
from tasks.folder.fingerprint import content_hash, fingerprint
from tasks.folder.objects import Objects, read_objects

__all__ = ["EpochChunk", "EpochReader", "Objects", "content_hash", "fingerprint", "read_epochs", "read_objects"]
