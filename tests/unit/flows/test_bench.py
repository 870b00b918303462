"""`argelander bench`: every benchmark is listed, and one runs as a program with its arguments and its data."""

import pytest
from typer.testing import CliRunner

from flows.bench import ROOT, questions, run
from flows.cli import app
from schemas import BadInput


@pytest.fixture
def checkout(tmp_path):
    folder = tmp_path / "benchmarks"
    folder.mkdir()
    (folder / "__init__.py").touch()
    (folder / "speed.py").write_text(
        '"""How fast?\n\nMore."""\n\nimport os\nimport sys\n\n'
        'print(sys.argv[1:], os.environ["ARGELANDER_DATA"], os.environ["OMP_NUM_THREADS"])\nsys.exit(3)\n'
    )
    return tmp_path


def test_a_benchmark_runs_with_its_arguments(checkout, tmp_path, capfd, monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    assert run("speed", ["7", "--full"], tmp_path, root=checkout) == 3
    assert capfd.readouterr().out.strip() == f"['7', '--full'] {tmp_path.resolve()} 1"


def test_what_is_not_there_is_said_in_a_sentence(checkout, tmp_path):
    assert questions(checkout) == {"speed": "How fast?"}
    with pytest.raises(BadInput, match="no benchmark 'haste'; there are speed"):
        run("haste", root=checkout)
    with pytest.raises(BadInput, match="is not a folder"):
        run("speed", data=tmp_path / "nowhere", root=checkout)
    with pytest.raises(BadInput, match="come with a checkout"):
        questions(tmp_path / "nowhere")


def test_the_command_lists_them_all():
    listed = CliRunner().invoke(app, ["bench"])
    assert listed.exit_code == 0
    names = {file.stem for file in (ROOT / "benchmarks").glob("[!_]*.py")}
    assert names == {line.split()[0] for line in listed.output.splitlines()[1:] if line.strip()}
    unknown = CliRunner().invoke(app, ["bench", "haste"])
    assert unknown.exit_code == 2
