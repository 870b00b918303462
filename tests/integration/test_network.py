"""The command line without a network: --offline needs none and touches none, --live says in one sentence what it lacks.

No test here can reach an archive: every process that the command starts is refused any address but this machine's, by a
sitecustomize module, which also writes down what was wanted.
"""

import os
import shutil

import pytest

from lakehouse.delta.store import Lake
from tasks.archives.services import PROFILES
from tests.integration.acquisition import SEED, N, log
from tests.integration.conftest import FOREST_ONLY, SMALL, argelander, assert_same, sentence

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("calm", "one_server")]
REFUSING = """
import os, socket
HERE = {None, "", "localhost", "127.0.0.1", "::1", "0.0.0.0", socket.gethostname()}
resolve, connect, connect_ex = socket.getaddrinfo, socket.socket.connect, socket.socket.connect_ex

def refuse(host, error):
    with open(os.environ["REFUSED_HOSTS"], "a") as file:
        file.write(f"{host}\\n")
    raise error

def getaddrinfo(host, *more, **options):
    name = host.decode() if isinstance(host, bytes) else host
    if name not in HERE:
        refuse(name, socket.gaierror(socket.EAI_NONAME, "Name or service not known"))
    return resolve(host, *more, **options)

def guarded(call):
    def checked(self, address):
        if self.family != socket.AF_UNIX and self.type & socket.SOCK_STREAM and not address[0].startswith("127."):
            if address[0] not in HERE:
                refuse(address[0], ConnectionRefusedError(111, "Connection refused"))
        return call(self, address)
    return checked

socket.getaddrinfo = getaddrinfo
socket.socket.connect, socket.socket.connect_ex = guarded(connect), guarded(connect_ex)
"""
NOBODY = "http://127.0.0.1:9"  # nobody listens there: a replica that was stopped
SKY = ("source.sample.random_index=[0, 3999999]", f"source.replica.n_objects={N}", f"source.replica.seed={SEED}")
WHOLE = (
    "raw_sample__epoch",
    "core_gaia__source",
    "core_sample__source",
    "assn_sample__match",
    "label_sample__parameter",
)


@pytest.fixture
def refused(tmp_path, monkeypatch):
    """Refuses the network to the commands of a test; call it for the hosts that they wanted."""
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text(REFUSING)
    hosts = tmp_path / "hosts.txt"
    hosts.touch()
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path / 'site'}:{os.environ.get('PYTHONPATH', '')}")
    monkeypatch.setenv("REFUSED_HOSTS", str(hosts))
    return lambda: hosts.read_text().split()


def refresh(lake, *more, settings=()):
    words = [word for setting in (*SMALL, FOREST_ONLY, *settings) for word in ("--set", setting)]
    return argelander("refresh", "demo", "--lake", lake, "--release", lake / "release", *words, *more, check=False)


def test_offline_a_catalogue_is_made_of_the_answers_alone(acquired, replica, refused, tmp_path):
    lake = tmp_path / "lake"
    shutil.copytree(acquired.lake / "raw", lake / "raw")
    held = sorted(path for path in (lake / "raw").rglob("*") if path.is_file())
    done = refresh(lake, "--offline", settings=(*SKY, f"source.base_url={NOBODY}"))
    assert done.returncode == 0, done.stderr
    place = Lake(lake)
    assert place.count("out__catalogue") == N
    without = ("run_id", "dataset")

    def plain(where):
        read = {name: where.read(name) for name in WHOLE}
        return {name: t.drop_columns([c for c in without if c in t.column_names]) for name, t in read.items()}

    assert_same(plain(Lake(acquired.lake)), plain(place))
    assert refused() == [] and log(replica) == [] and not (lake / "replica").exists()
    assert sorted(path for path in (lake / "raw").rglob("*.json") if path.is_file()) == [
        path for path in held if path.suffix == ".json"
    ]


def test_offline_what_was_never_answered_is_one_sentence(acquired, replica, refused, tmp_path):
    shutil.copytree(acquired.lake / "raw", tmp_path / "lake" / "raw")
    sky = (*SKY[1:], "source.sample.random_index=[0, 1999]")
    said = sentence(refresh(tmp_path / "lake", "--offline", settings=sky))
    assert "gaia_tap" in said and "never answered" in said and "run without --offline" in said
    assert refused() == [] and log(replica) == [] and not (tmp_path / "lake" / "replica").exists()


def test_live_without_a_network_is_one_sentence(refused, tmp_path):
    """With the pauses of the replica's profile: the live one waits for minutes before it gives up."""
    said = sentence(refresh(tmp_path / "lake", "--live", settings=("source.profile=fast",)))
    attempts = PROFILES["fast"]["gaia_tap"].attempts
    assert said.startswith(f"Error: gaia_tap failed {attempts} times") and "cannot be reached" in said
    assert "run the same command again" in said and not (tmp_path / "lake" / "replica").exists()
    assert set(refused()) == {"gea.esac.esa.int"} and len(refused()) >= attempts
