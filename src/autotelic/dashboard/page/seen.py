"""What a model was shown, on the page: its words, and its pictures by their digests."""

from __future__ import annotations

import re

from autotelic.dashboard.markup import safe
from autotelic.dashboard.page import shell
from autotelic.dashboard.page.runs import RunView
from autotelic.errors import PictureError
from autotelic.pictures import Gallery
from autotelic.types import Image, Observation, text_of

_DIGEST = re.compile(r"[0-9a-f]{64}")
_KINDS = (
    (b"\x89PNG", "image/png"),
    (b"\xff\xd8", "image/jpeg"),
    (b"GIF8", "image/gif"),
    (b"BM", "image/bmp"),
)


def seen_block(run: RunView, observation: Observation, label: str = "") -> str:
    """An observation in its order: words as text, pictures as themselves."""
    if isinstance(observation, str) or not any(isinstance(part, Image) for part in observation):
        return shell.text_block(text_of(observation), label)
    found = []
    for part in observation:
        if isinstance(part, Image):
            name = part.digest.removeprefix("sha256:")
            found.append(
                f'<img class="seen" src="{run.url}/picture/{safe(name)}" width="192" '
                f'alt="picture {safe(part.digest[:19])}" title="{safe(part.digest)}">'
            )
        elif words := text_of((part,)):
            found.append(shell.text_block(words, label))
    return "".join(found)


def picture(run: RunView, name: str) -> tuple[bytes, str]:
    """The bytes of a picture of the record and their type, by the 64 digits of its digest. Raises PictureError."""
    if not _DIGEST.fullmatch(name):
        raise PictureError("a picture is named by 64 hexadecimal digits", "follow a link of the page")
    content = Gallery.beside(run.path).bytes_of(f"sha256:{name}")
    return content, next(
        (kind for mark, kind in _KINDS if content.startswith(mark)), "application/octet-stream"
    )
