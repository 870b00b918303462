"""Ask the archives whether a data release is there and as this code expects it; say what to set where it is not."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import date
from importlib.metadata import version
from pathlib import Path

from schemas import BadInput
from schemas.inputs import ArchiveSource
from tasks.stages.acquire.direct import open_archives
from tasks.surveys.gaia_check import Asking, Findings, Line, Verdict, check_release
from tasks.surveys.gaia_releases import gaia_release, read_tree

SENTENCES = {
    Verdict.READY: "{release} is there as this code expects it.",
    Verdict.OVERRIDDEN: "{release} is there, and differs: the file {out} says how. {use}",
    Verdict.LACKING: "{release} lacks what no run can do without: see MISSING above.",
    Verdict.NOT_RELEASED: "{release} is not there yet. {opens}",
    Verdict.UNREACHABLE: "The archive did not answer what a run on {release} needs to know: try again later.",
}


def check(
    name: str,
    source: ArchiveSource,
    out: Path,
    tell: Callable[[str, Line | None], None],
    file: str = "",
    has_bulk: bool = False,
) -> Verdict:
    """Check the release that the settings call `name` at the archives of `source`.

    `tell` gets each line with the name of its test, and None with a sentence of its own. `file` is a release file to
    begin with, `has_bulk` looks at the folder of bulk files too. What the archive has otherwise is written to `out`;
    BadInput where that is a folder or the release is not known.
    """
    if out.is_dir():
        raise BadInput(f"{out} is a folder: name the file to write.")
    release = gaia_release(name, file)
    tell(f"{date.today():%Y-%m-%d}, astroquery {version('astroquery')}{_digest(file)}", None)
    with open_archives(source, out.parent) as archives:
        asking = Asking(archives.send, archives.cdn, archives.describe)
        found = Findings(asking, release, given=read_tree(Path(file)) if file else {})
        verdict = check_release(found, tell, has_bulk=has_bulk)
    if found.changes:
        out.write_text(found.document(archives.name, date.today()), encoding="utf-8")
    use = f"Run with --set source.options.gaia.release={name} --set source.options.gaia.release_file={out}"
    words = {"release": release.name, "out": out, "use": use, "opens": release.opens}
    tell(f"{SENTENCES[verdict].format(**words)} ({found.ask.n_request} requests)", None)
    return verdict


def _digest(file: str) -> str:
    """The name and the beginning of the checksum of the release file."""
    return f", {file} {hashlib.sha256(Path(file).read_bytes()).hexdigest()[:12]}" if file else ""
