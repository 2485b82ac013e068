"""Whatever the network does, the cache holds the published file or none, and one line says what to do.

The network is a server on this machine that speaks TLS, with a certificate made for the test.
"""

import gc
import hashlib
import io
import os
import re
import shutil
import ssl
import subprocess
import tempfile
import threading
import time
import warnings
import zipfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from mflearn import datasets, downloads
from mflearn.downloads import Remote, fetch

# pooch leaves it to Python to close a connection that has failed
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")

if not shutil.which("openssl"):
    pytest.skip("openssl is not here to make a certificate", allow_module_level=True)


def archive(members):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as opened:
        for name, text in members.items():
            opened.writestr(zipfile.ZipInfo(name), text, zipfile.ZIP_DEFLATED)
    return content.getvalue()


PAPER = "".join(f"{i},{hashlib.sha256(bytes([i % 256, i // 256])).hexdigest()}\n" for i in range(3000))
GOOD = archive(
    {
        "ml-latest-small/ratings.csv": "userId,movieId,rating,timestamp\n1,7,4.5,0\n2,7,3,0\n2,9,1,0\n",
        "ml-latest-small/movies.csv": "movieId,title,genres\n7,Bread (1979),Drama\n9,None,(no genres listed)\n",
        "ml-latest-small/links.csv": PAPER,  # so that the file comes in pieces
    }
)


def certificate(folder):
    """A file with the key and the certificate of 127.0.0.1."""
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=mflearn"
    command += " -addext subjectAltName=IP:127.0.0.1 -keyout key.pem -out cert.pem"
    subprocess.run(command.split(), cwd=folder, check=True, capture_output=True)
    (folder / "both.pem").write_text((folder / "key.pem").read_text() + (folder / "cert.pem").read_text())
    return folder / "both.pem"


class Faulty(BaseHTTPRequestHandler):
    """Each path of this server has a fault of its own."""

    protocol_version = "HTTP/1.0"
    asked = {}

    def do_GET(self):
        fault = self.path.strip("/").replace("-", "_").removesuffix(".zip")
        self.asked[fault] = self.asked.get(fault, 0) + 1
        getattr(self, fault)()

    def answer(self, content=GOOD, status=200, length=True, kind="application/zip", **headers):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        if length:
            self.send_header("Content-Length", str(len(GOOD) if length is True else length))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def good(self):
        self.answer()

    def short_of_its_length(self):
        self.answer(GOOD[:70_000])

    def short_without_length(self):
        self.answer(GOOD[:70_000], length=False)

    def wrong_bytes(self):
        self.answer(GOOD[:-1] + b"?")

    def gone(self):
        self.answer(b"", 404, length=False)

    def busy(self):
        self.answer(b"", 503, length=False)

    def silent(self):
        over.wait(60)

    def silent_midway(self):
        self.answer(GOOD[:70_000])
        over.wait(60)

    def unencrypted(self):
        self.answer(b"", 302, length=False, Location=f"http://127.0.0.1:{plain_port}/good.zip")

    def log_message(self, *_):
        pass


over = threading.Event()
plain_port = 0


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_):
        pass  # a client that leaves is no error here


@contextmanager
def serving(keys=None):
    with Server(("127.0.0.1", 0), Faulty) as server:
        if keys:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(keys)
            server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield server.server_address[1]
        over.set()
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def servers(tmp_path_factory):
    """Ports of a good server, and one where nobody is."""
    global plain_port
    today = certificate(tmp_path_factory.mktemp("today"))
    with pytest.MonkeyPatch.context() as patch, serving() as plain_port:
        patch.setenv("REQUESTS_CA_BUNDLE", str(today.parent / "cert.pem"))
        patch.setenv("NO_PROXY", "127.0.0.1")
        with serving(today) as port:
            over.clear()
            yield {"good": port, "nobody": free_port()}
    with warnings.catch_warnings(action="ignore", category=ResourceWarning):
        gc.collect()  # a connection that its client broke off is closed by nobody; a later test would be told


def free_port():
    with Server(("127.0.0.1", 0), Faulty) as server:
        return server.server_address[1]


@pytest.fixture
def remote(servers):
    def make(fault="good", server="good", content=GOOD):
        address = f"https://127.0.0.1:{servers[server]}/{fault}.zip"
        return Remote(address, len(content), hashlib.sha256(content).hexdigest(), "ml-latest-small.zip")

    return make


def everything(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def refused(remote, folder, words):
    """The error of a download, which is one line with these words; it left nothing behind."""
    before = everything(folder)
    with pytest.raises(OSError) as caught:
        fetch(remote, folder)
    line = str(caught.value)
    assert line.startswith("ml-latest-small.zip ") and "\n" not in line and len(line) <= 160
    assert re.search(words, line), line
    assert everything(folder) == before
    return line


def test_a_download_is_the_published_file(remote, tmp_path):
    path = fetch(remote(), tmp_path)
    assert path.read_bytes() == GOOD and everything(tmp_path) == ["ml-latest-small.zip"]
    assert path.stat().st_mode & 0o444 == 0o444  # for all in a room that shares the folder


def test_eight_downloads_at_once_leave_one_whole_file(remote, tmp_path):
    with ThreadPoolExecutor(8) as together:
        paths = list(together.map(lambda _: fetch(remote(), tmp_path), range(8)))
    assert {path.read_bytes() for path in paths} == {GOOD} and everything(tmp_path) == ["ml-latest-small.zip"]


def test_what_is_there_is_not_downloaded_again(remote, tmp_path):
    (tmp_path / "ml-latest-small.zip").write_bytes(GOOD)
    assert fetch(remote(server="nobody"), tmp_path).read_bytes() == GOOD


FAULTS = {
    "short-of-its-length": "ended too early: try again",
    "wrong-bytes": "is not the file that was published: try again",
    "gone": r"is not there any more, says 127.0.0.1 \(404\): look for a newer mflearn",
    "busy": r"127.0.0.1 is busy \(503\): try again later",
    "unencrypted": "was offered without https",
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_leaves_nothing_and_says_what_to_do(fault, remote, tmp_path):
    refused(remote(fault), tmp_path, FAULTS[fault])
    assert fetch(remote(), tmp_path).read_bytes() == GOOD  # and is over when the fault is


def test_a_certificate_of_nobody_is_not_taken(remote, tmp_path, monkeypatch):
    monkeypatch.delenv("REQUESTS_CA_BUNDLE")
    refused(remote(), tmp_path, "certificate of 127.0.0.1 is not valid")


def test_nobody_there(remote, tmp_path):
    refused(remote(server="nobody"), tmp_path, "127.0.0.1 does not answer: is this machine online")


@pytest.mark.parametrize("fault", ["silent", "silent-midway"])
def test_silence_is_not_waited_out(fault, remote, tmp_path, monkeypatch):
    monkeypatch.setattr(downloads, "TIMEOUT", 0.3)
    start = time.monotonic()
    refused(remote(fault), tmp_path, "127.0.0.1 does not answer: .* Try again later")
    assert time.monotonic() - start < 20  # the silence lasts 60 s, and pooch by itself waits 30


def test_a_damaged_file_is_replaced(remote, tmp_path):
    (tmp_path / "ml-latest-small.zip").write_bytes(GOOD[:1000])
    assert fetch(remote(), tmp_path).read_bytes() == GOOD


def test_a_damaged_file_stays_damaged_when_there_is_no_network(remote, tmp_path):
    (tmp_path / "ml-latest-small.zip").write_bytes(GOOD[:1000])
    with pytest.raises(OSError, match="does not answer"):
        fetch(remote(server="nobody"), tmp_path)
    assert everything(tmp_path) == ["ml-latest-small.zip"] and not downloads.intact(remote(), tmp_path)


@contextmanager
def read_only(folder):
    """For root, too, to whom all folders are open."""
    folder.chmod(0o555)
    nobody = hasattr(os, "geteuid") and os.geteuid() == 0
    if nobody:
        os.seteuid(65534)
    try:
        yield
    finally:
        if nobody:
            os.seteuid(0)
        folder.chmod(0o755)


def test_a_folder_that_cannot_be_written(remote):
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with read_only(folder):
            refused(remote(), folder, r"cannot be saved \(Permission.*\): name another folder than /.* with --to")
        (folder / "file").touch()
        refused(remote(), folder / "file", "cannot be saved .* name another folder than .* with --to")


def test_nothing_is_asked_for_without_encryption():
    for source in datasets.SOURCES.values():
        for remote in source.remotes:
            assert remote.url.startswith("https://")
            assert re.fullmatch("[0-9a-f]{64}", remote.sha256) and remote.size > 500_000
            assert not Path(remote.path).is_absolute() and ".." not in Path(remote.path).parts


# From the command line to the ratings


@pytest.fixture
def small(remote, tmp_path, monkeypatch):
    """The small set of MovieLens, as this server publishes it, and a cache of its own."""

    def publish(fault="good", server="good", content=GOOD):
        source = datasets.SOURCES["movielens-small"]
        new = replace(source, remotes=(remote(fault, server, content),))
        monkeypatch.setitem(datasets.SOURCES, "movielens-small", new)

    publish()
    monkeypatch.setattr(datasets, "cache", lambda: tmp_path / "cache")
    monkeypatch.delenv("MFLEARN_DATA", raising=False)
    return publish


def test_the_command_gets_what_load_then_finds(small, capsys, tmp_path):
    from mflearn.__main__ import main

    assert main(["data", "movielens-small"]) == 0
    printed = capsys.readouterr()
    assert "3 values, 2 users × 2 items" in printed.out and "research and education" in printed.out
    assert "Harper and J. A. Konstan (2015)" in printed.out and printed.err == ""
    small(server="nobody")
    data = datasets.load("movielens-small")
    assert data.ratings.items == (7, 9) and data.ratings.value.tolist() == [4.5, 3, 1]
    assert data.titles == {7: "Bread (1979)", 9: "None"} and data.years == {7: 1979}
    assert everything(tmp_path / "cache") == ["ml-latest-small.zip"]  # never unpacked


def test_the_command_downloads_into_another_folder(small, tmp_path, monkeypatch):
    from mflearn.__main__ import main

    assert main(["data", "movielens-small", "--to", str(tmp_path / "room")]) == 0
    with pytest.raises(FileNotFoundError):
        datasets.load("movielens-small")
    monkeypatch.setenv("MFLEARN_DATA", str(tmp_path / "room"))
    assert len(datasets.load("movielens-small").ratings) == 3


def test_the_command_fails_in_one_line(small, capsys):
    from mflearn.__main__ import main

    small("gone")
    assert main(["data", "movielens-small"]) == 1
    printed = capsys.readouterr()
    assert printed.out == "" and printed.err.count("\n") == 1 and "(404)" in printed.err


def test_load_never_downloads(small, tmp_path):
    asked = dict(Faulty.asked)
    with pytest.raises(FileNotFoundError, match="^movielens-small is not on this machine; to get it: mflearn data mov"):
        datasets.load("movielens-small")
    assert Faulty.asked == asked and not (tmp_path / "cache").exists()


def test_load_says_that_a_download_is_damaged(small, tmp_path):
    datasets.get("movielens-small")
    (tmp_path / "cache/ml-latest-small.zip").write_bytes(GOOD[:-100])
    with pytest.raises(
        FileNotFoundError, match="^movielens-small is damaged; to get it: mflearn data movielens-small$"
    ):
        datasets.load("movielens-small")
    datasets.get("movielens-small")
    assert len(datasets.load("movielens-small").ratings) == 3
