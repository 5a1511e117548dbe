"""Pictures by content: bytes named by their sha256, in a folder beside the record, and the pixels that they hold.

    domain ──► put(bytes) ──► Image(digest) ──► prompt ──► eyes of a model ──► pixels(digest)

What is shown is named, so that a record, an exam and a prompt hold 64 digits and no bytes. A picture that is not what
its name says, or that is none, is refused in one line before it is decoded.
"""

from __future__ import annotations

import hashlib
import os
import struct
import zlib
from collections import OrderedDict
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from threading import Lock
from typing import Any, Self

import numpy as np

from autotelic.errors import PictureError
from autotelic.types import Image

Pixels = np.ndarray[Any, np.dtype[np.uint8]]
NEEDED = "pillow==13.0.0"
"""What decodes pictures, as pip names it."""
MOST_BYTES = 16 << 20
MOST_SIDE = 4096
"""Bytes, and pixels a side, that a picture may have: a file of a few bytes can stand for gigabytes of pixels."""
MODES = ("1", "L", "P", "RGB")
"""Modes of pixels that stand for one colour each. Others hold transparency, more bits or inks."""
REMEMBERED = 4096
"""Pictures whose pixels are kept in memory: 48 MiB of 64x64."""
FOLDER = "pictures"
"""Of a run folder: where the pictures of its record lie."""
KEY = 12
"""Hexadecimal digits of a digest by which a prompt's tokens name a picture (48 bits)."""
_PREFIX = "sha256:"
_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_BLOCK = 65535
"""Bytes of a stored block (RFC 1951, section 3.2.4)."""
_REFUSED = "give an RGB picture in a plain file format, such as PNG"


def digest_of(content: bytes) -> str:
    """The name of a picture: `sha256:` and 64 hexadecimal digits."""
    return _PREFIX + hashlib.sha256(content).hexdigest()


def key_of(digest: str) -> int:
    """The first 48 bits of a digest."""
    return int(digest.removeprefix(_PREFIX)[:KEY], 16)


class Gallery:
    """Pictures by their digests: in memory, and in a folder once there is one (`keep_in`).

    A copy of whatever holds a gallery holds the same gallery. Raises PictureError, in one line, for what is no
    picture and for a picture that is not there. With `write` off nothing is written: new pictures stay in memory.
    """

    def __init__(self, folder: Path | None = None, *, write: bool = True) -> None:
        self.folder = folder
        self.write = write
        self._held: dict[str, bytes] = {}
        self._keys: dict[int, str] = {}
        self._pixels: OrderedDict[str, Pixels] = OrderedDict()
        self._lock = Lock()
        if folder is not None and folder.is_dir():
            for path in sorted(folder.glob("*/*.png")):
                self._know(_PREFIX + path.stem)

    def __deepcopy__(self, memo: Any) -> Self:
        return self

    @classmethod
    def beside(cls, run: Path) -> Self:
        """The pictures of a run's record, to look at single ones: the folder is not read through."""
        found = cls(write=False)
        found.folder = run / FOLDER
        return found

    def put(self, content: bytes) -> Image:
        """Keep a picture. Raises PictureError for bytes that are none (`pixels_of`)."""
        digest = digest_of(content)
        if self._keys.get(key_of(digest)) == digest:
            self._settle(digest)
            return Image(digest=digest)
        pixels = pixels_of(content, digest)
        self._know(digest)
        self._remember(digest, pixels)
        self._held[digest] = content
        self._settle(digest)
        return Image(digest=digest)

    def keep_in(self, folder: Path) -> None:
        """From here on pictures lie in a folder: those that are put, and of earlier ones those that are looked at.

        The many that only a tokenizer's texts were made with are never written.
        """
        self.folder = folder

    def _settle(self, digest: str) -> None:
        """Write a picture that is in memory alone, once there is a folder."""
        if self.folder is None or not self.write or digest not in self._held:
            return
        with self._lock:
            if (content := self._held.get(digest)) is not None:
                _write(self._path(digest), content)
                del self._held[digest]

    def bytes_of(self, digest: str) -> bytes:
        """The bytes of a picture. Raises PictureError where they are missing, or are others."""
        self._settle(digest)
        if digest in self._held:
            return self._held[digest]
        try:
            content = self._path(digest).read_bytes() if self.folder else b""
        except OSError:
            content = b""
        if not content:
            raise PictureError(f"the picture {digest[:19]} is not there", "restore the folder from a copy")
        if digest_of(content) != digest:
            raise PictureError(
                f"the picture {digest[:19]} is damaged: it is not what was written",
                "restore it from a copy",
            )
        return content

    def pixels(self, digest: str) -> Pixels:
        """The pixels of a picture, [H, W, 3], from 0 to 255. Raises PictureError."""
        self._settle(digest)
        with self._lock:
            if digest in self._pixels:
                self._pixels.move_to_end(digest)
                return self._pixels[digest]
        found = pixels_of(self.bytes_of(digest), digest)
        self._remember(digest, found)
        return found

    def of_key(self, key: int) -> str:
        """The digest that begins with these 48 bits. Raises PictureError where no picture's does."""
        if key not in self._keys:
            raise PictureError(
                f"a prompt shows the picture sha256:{key:012x}, which is not there",
                "restore the run folder with its pictures from a copy",
            )
        return self._keys[key]

    def _know(self, digest: str) -> None:
        other = self._keys.setdefault(key_of(digest), digest)
        if other != digest:
            raise PictureError(
                f"the pictures {digest} and {other} begin alike, and prompts could not tell them apart",
                "change one pixel of one of them",
            )

    def _remember(self, digest: str, pixels: Pixels) -> None:
        with self._lock:
            self._pixels[digest] = pixels
            if len(self._pixels) > REMEMBERED:
                self._pixels.popitem(last=False)

    def _path(self, digest: str) -> Path:
        return picture_path(self.folder or Path(), digest)


def picture_path(folder: Path, digest: str) -> Path:
    """Where the picture of a digest lies in a folder of pictures."""
    name = digest.removeprefix(_PREFIX)
    return folder / name[:2] / f"{name}.png"


def _write(path: Path, content: bytes) -> None:
    """Whole or not at all; what is there already has these bytes by its name."""
    if path.is_file():
        return
    new = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        new.write_bytes(content)
        os.replace(new, path)
    except OSError as error:
        raise PictureError(
            f"{path} cannot be written: {error.strerror}", "free some space, or check its disk"
        ) from error


def pixels_of(content: bytes, name: str) -> Pixels:
    """The pixels of a picture's bytes, [H, W, 3], from 0 to 255; `name` is what an error calls it.

    Raises PictureError for bytes that are no picture, are cut short, too large, or of a mode that is not one colour a
    pixel (`MODES`), and where Pillow is not installed.
    """
    shown = f"the picture {name[:19]}"
    if len(content) > MOST_BYTES:
        raise PictureError(f"{shown} has {len(content)} bytes, and {MOST_BYTES} are the most", _REFUSED)
    try:
        from PIL import Image as Decoder
    except ImportError:
        raise PictureError(
            "pictures need Pillow, which is not installed", f"`pip install {NEEDED}`"
        ) from None
    try:
        opened = Decoder.open(BytesIO(content), formats=("PNG", "JPEG", "BMP", "GIF", "WEBP"))
        width, height = opened.size
        if max(width, height) > MOST_SIDE:  # before any of its pixels is decoded
            raise PictureError(
                f"{shown} is {width}x{height}, and {MOST_SIDE} a side are the most", "make it smaller"
            )
        if opened.mode not in MODES or "transparency" in opened.info:
            mode = opened.mode if opened.mode not in MODES else "P with transparency"
            raise PictureError(f"{shown} has pixels of the mode {mode}", _REFUSED)
        found: Pixels = np.array(opened.convert("RGB"))
    except PictureError:
        raise
    except Exception as error:  # what a damaged file makes a decoder raise is anybody's guess
        first = (str(error).splitlines() or [type(error).__name__])[0]
        if "cannot identify" in first:
            first = "these bytes are no picture"
        raise PictureError(f"{shown} cannot be decoded: {first}", _REFUSED) from error
    return found


def png(index_HW: Pixels, palette: Sequence[tuple[int, int, int]]) -> bytes:
    """A picture of at most 16 colours as PNG: [H, W] numbers of colours. The same bytes on every machine.

    It is stored and not compressed, because what deflate makes differs between versions of zlib.
    """
    height, width = index_HW.shape
    even = np.zeros((height, -(-width // 2) * 2), np.uint8)
    even[:, :width] = index_HW
    packed = (even[:, ::2] << 4) | even[:, 1::2]
    lines = b"".join(b"\0" + row.tobytes() for row in packed)
    header = struct.pack(">IIBBBBB", width, height, 4, 3, 0, 0, 0)
    colours = bytes(value for colour in palette for value in colour)
    parts = [(b"IHDR", header), (b"PLTE", colours), (b"IDAT", _stored(lines)), (b"IEND", b"")]
    return _SIGNATURE + b"".join(map(_chunk, parts))


def _chunk(part: tuple[bytes, bytes]) -> bytes:
    kind, content = part
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def _stored(content: bytes) -> bytes:
    """A zlib stream of stored blocks (RFC 1950, RFC 1951)."""
    blocks = [content[at : at + _BLOCK] for at in range(0, len(content), _BLOCK)] or [b""]
    found = [
        struct.pack("<BHH", at == len(blocks) - 1, len(block), len(block) ^ 0xFFFF) + block
        for at, block in enumerate(blocks)
    ]
    return b"\x78\x01" + b"".join(found) + struct.pack(">I", zlib.adler32(content))
