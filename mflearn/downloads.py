"""One file from the network into a folder: the published one, or none. Not what is in it."""

import os
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pooch
import requests

TIMEOUT = 20.0  # seconds without a single byte

pooch.get_logger().setLevel("WARNING")  # what it does is said by whoever calls


@dataclass(frozen=True)
class Remote:
    """A file as it is published."""

    url: str  # https only
    size: int  # bytes, to tell how much there is to download
    sha256: str
    path: str  # where it goes, below the folder of all downloads


def intact(remote: Remote, folder: str | os.PathLike) -> bool:
    """Whether this file is there, with the published bytes."""
    path = Path(folder) / remote.path
    return path.is_file() and pooch.file_hash(str(path)) == remote.sha256


def fetch(remote: Remote, folder: str | os.PathLike, *, progress: bool = False) -> Path:
    """The path of the file below `folder`, downloaded unless it is there already with the right sha256.

    The file appears there whole, or not at all: then OSError says why and what to do, and an older file stays.
    `progress` draws a bar on stderr.
    """
    target, name = Path(folder) / remote.path, Path(remote.path).name
    if intact(remote, folder):
        return target
    options = {"timeout": TIMEOUT, "hooks": {"response": _refuse_plain}, "chunk_size": 1 << 16}
    download = pooch.HTTPDownloader(progressbar=progress, **options)
    try:
        pooch.retrieve(remote.url, remote.sha256, fname=target.name, path=target.parent, downloader=download)
        target.chmod(0o644)  # pooch makes files that their owner alone can read; a room shares them
    except requests.RequestException as error:
        raise OSError(f"{name} {_reason(error, urlsplit(remote.url).hostname)}") from None
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise OSError(f"{name} cannot be saved ({why}): name another folder than {folder} with --to") from None
    except ValueError:  # pooch found another sha256
        raise OSError(f"{name} is not the file that was published: try again, or in another network") from None
    return target


def _refuse_plain(response: requests.Response, **_: object) -> None:
    """Stop where a server leads on to an address without https."""
    if not response.url.startswith("https://"):
        raise requests.exceptions.InvalidURL("not https")


def _reason(error: requests.RequestException, host: str) -> str:
    """What a fault of the network means, and what to do about it."""
    if isinstance(error, requests.exceptions.InvalidURL):
        return "was offered without https, so it was not taken: look for a newer mflearn"
    if isinstance(error, requests.HTTPError) and error.response.status_code < 500:
        return f"is not there any more, says {host} ({error.response.status_code}): look for a newer mflearn"
    if isinstance(error, requests.HTTPError):
        return f"cannot be had now, as {host} is busy ({error.response.status_code}): try again later"
    if isinstance(error, requests.exceptions.ChunkedEncodingError):
        return "ended too early: try again"
    if isinstance(error, requests.exceptions.SSLError):
        return f"is not taken, as the certificate of {host} is not valid: try again in a few days"
    return f"cannot be had, as {host} does not answer: is this machine online? Try again later"
