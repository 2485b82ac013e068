"""One file from the network into a folder: the published one, whole and in time, or none. Not what is in it."""

import os
import shutil
import tempfile
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, Full, Queue
from urllib.parse import urlsplit

import pooch
import requests
import tqdm
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from . import checked

DEADLINE = 900.0  # seconds for a whole file
SILENCE = 20.0  # seconds without a single byte
CHUNK = 1 << 16
BUSY = (429, 500, 502, 503, 504)  # answers after which it is worth asking again
PARTIAL = ".mflearn-"  # how the folder of an unfinished download begins

pooch.get_logger().setLevel("WARNING")  # it would tell of that folder


class DownloadError(OSError):
    """A file could not be had; says why and what to do, in one line."""


@dataclass(frozen=True)
class Remote:
    """A file as it is published."""

    url: str  # https only
    size: int  # bytes; no more are read
    sha256: str
    path: str  # where it goes, below the folder of all downloads

    def __post_init__(self) -> None:
        if not self.url.startswith("https://"):
            raise ValueError(f"url is {self.url:.80}; it must begin with https://")
        checked.integer(self.size, "size", least=1)

    @property
    def name(self) -> str:
        """The last part of the path."""
        return Path(self.path).name


def intact(remote: Remote, folder: str | os.PathLike) -> bool:
    """Whether this file is there, with the published bytes."""
    path = Path(folder) / remote.path
    return path.is_file() and pooch.file_hash(str(path)) == remote.sha256


@checked.options
def fetch(
    remote: Remote,
    folder: str | os.PathLike,
    *,
    deadline: float = DEADLINE,
    silence: float = SILENCE,
    progress: bool = False,
) -> Path:
    """The path of the file below `folder`, downloaded unless it is there already with the right sha256.

    It appears there at once and whole, or not at all: after `deadline` seconds, or `silence` seconds without a byte,
    or with any other bytes than the published ones, DownloadError says why, and the folder is as it was. Several may
    fetch it at once. `progress` draws a bar on stderr.
    """
    deadline, silence = checked.number(deadline, "deadline", above=0), checked.number(silence, "silence", above=0)
    target = Path(folder) / remote.path
    try:
        if intact(remote, folder):
            return target
        target.parent.mkdir(parents=True, exist_ok=True)
        _sweep(target.parent, max(deadline, DEADLINE))
        with tempfile.TemporaryDirectory(prefix=PARTIAL, dir=target.parent) as partial:

            def download(_url: str, path: str, _pooch: object) -> None:
                with open(path, "wb") as file:
                    _write(remote, file, deadline, silence, progress)

            pooch.retrieve(remote.url, remote.sha256, fname=target.name, path=partial, downloader=download)
            os.replace(Path(partial) / target.name, target)
    except DownloadError:
        raise
    except requests.RequestException as error:
        raise _why(remote, error, silence) from None
    except OSError as error:
        raise _error(
            remote, f"cannot be saved ({error.strerror or error}): name another folder with --to", folder
        ) from None
    except ValueError:  # pooch found another sha256
        raise _error(remote, "is not the file that was published: try again, or look for a newer mflearn") from None
    return target


def _write(remote: Remote, file: object, deadline: float, silence: float, progress: bool) -> None:
    """The bytes of a file, as they come. Another thread waits for them: nothing there can outlast the deadline."""
    end, received = time.monotonic() + deadline, 0
    chunks: Queue = Queue(maxsize=16)
    over = threading.Event()
    threading.Thread(target=_receive, args=(remote, silence, chunks, over), daemon=True).start()
    bar = tqdm.tqdm(total=remote.size, desc=remote.name, unit="B", unit_scale=True, disable=not progress)
    try:
        with bar:
            while chunk := _next(chunks, remote, end, deadline):
                if not received and chunk.lstrip()[:5].lower() in (b"<!doc", b"<html"):
                    raise _error(remote, "came as a web page: log in to this network in a browser, then try again")
                received += len(chunk)
                if received > remote.size:
                    raise _error(
                        remote, f"is longer than the {remote.size:,} bytes published: look for a newer mflearn"
                    )
                file.write(chunk)
                bar.update(len(chunk))
    finally:
        over.set()
    if received < remote.size:
        raise _error(remote, f"ended after {received:,} of {remote.size:,} bytes: try again")


def _next(chunks: Queue, remote: Remote, end: float, deadline: float) -> bytes | None:
    """What the other thread sends: bytes, None at the end, or the exception that stopped it."""
    try:
        chunk = chunks.get(timeout=max(end - time.monotonic(), 0))
    except Empty:
        chunk = None if time.monotonic() < end else _error(remote, f"took more than {deadline:g} s: try again later")
    if isinstance(chunk, Exception):
        raise chunk
    return chunk


def _receive(remote: Remote, silence: float, chunks: Queue, over: threading.Event) -> None:
    """Send the bytes of a file, and what stops them, to the thread that writes, until that one is over."""

    def send(chunk: bytes | Exception | None) -> None:
        while not over.is_set():
            try:
                return chunks.put(chunk, timeout=0.1)
            except Full:
                pass
        return None

    again = Retry(2, connect=0, read=0, other=0, status_forcelist=BUSY, backoff_factor=0.5, raise_on_status=False)
    again.respect_retry_after_header = False  # a server may ask for an hour
    try:
        with requests.Session() as session:
            session.mount("https://", HTTPAdapter(max_retries=again))
            plain = {"Accept-Encoding": "identity"}  # so that bytes are counted as they are published
            with session.get(remote.url, stream=True, timeout=silence, headers=plain) as answer:
                if any(not step.url.startswith("https://") for step in (*answer.history, answer)):
                    raise _error(remote, "was offered without https, so it was not taken: look for a newer mflearn")
                answer.raise_for_status()
                for chunk in answer.iter_content(CHUNK):
                    send(chunk)
                    if over.is_set():
                        return
        send(None)
    except Exception as error:  # raised again where it can be seen
        send(error)


def _why(remote: Remote, error: requests.RequestException, silence: float) -> DownloadError:
    """What a fault of the network means, and what to do about it."""
    host, words = urlsplit(remote.url).hostname, str(error)
    if isinstance(error, requests.exceptions.SSLError):
        fault = "has expired" if "expired" in words else "is not valid"
        return _error(remote, f"is not taken, as the certificate of {host} {fault}: try again in a few days")
    if isinstance(error, requests.HTTPError):
        status = error.response.status_code
        if status in BUSY:
            return _error(remote, f"cannot be had now, as {host} is busy ({status}): try again later")
        return _error(remote, f"is not there any more, says {host} ({status}): look for a newer mflearn")
    if isinstance(error, requests.Timeout) or "timed out" in words:
        return _error(remote, f"stopped, as {host} was silent for {silence:g} s: try again later")
    if isinstance(error, requests.exceptions.ChunkedEncodingError) or "IncompleteRead" in words:
        return _error(remote, "ended too early: try again")
    return _error(remote, f"cannot be had, as {host} cannot be reached: is this machine online?")


def _error(remote: Remote, line: str, folder: str | os.PathLike = "") -> DownloadError:
    line = f"{remote.name} {line}" + (f"; now it is {folder}" if folder else "")
    return DownloadError(line if len(line) <= 160 else line[:157] + "...")


def _sweep(folder: Path, age: float) -> None:
    """Remove what downloads left that were killed. None that lives is older than its deadline."""
    for partial in folder.glob(PARTIAL + "*"):
        with suppress(FileNotFoundError):  # its own download has just ended
            if time.time() - partial.stat().st_mtime > age:
                shutil.rmtree(partial, ignore_errors=True)
