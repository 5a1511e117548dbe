"""Pictures by content: the same bytes everywhere, and one line for what is no picture."""

from __future__ import annotations

import builtins
import copy
import io
import struct
import sys
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as Decoder

from autotelic import pictures
from autotelic.errors import PictureError
from autotelic.pictures import MOST_SIDE, Gallery, digest_of, picture_path, pixels_of, png
from autotelic.types import Image

PALETTE = ((0, 0, 0), (255, 0, 0), (0, 0, 255))
PLAIN = png(np.array([[0, 1, 2], [2, 1, 0]], np.uint8), PALETTE)


def saved(image: Decoder.Image, kind: str = "PNG", **more: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **more)
    return buffer.getvalue()


def test_png_is_what_a_png_reader_reads_back() -> None:
    image = Decoder.open(io.BytesIO(PLAIN))
    image.load()
    assert (image.size, image.mode) == ((3, 2), "P")
    assert np.array(image.convert("RGB")).tolist() == [
        [[0, 0, 0], [255, 0, 0], [0, 0, 255]],
        [[0, 0, 255], [255, 0, 0], [0, 0, 0]],
    ]


def test_png_has_no_bytes_that_a_library_chose() -> None:
    """Its data are stored and not compressed, so that the digest is the same whatever zlib is installed."""
    at = PLAIN.index(b"IDAT")
    (length,) = struct.unpack(">I", PLAIN[at - 4 : at])
    data = PLAIN[at + 4 : at + 4 + length]
    assert data[:3] == b"\x78\x01\x01"
    assert zlib.decompress(data) == bytes([0, 0x01, 0x20, 0, 0x21, 0x00])
    assert digest_of(PLAIN) == "sha256:a2e4cac003d86e3fc0b3ec962a567dff02761a9a67d8a131f84531c575e76075"


def test_png_larger_than_a_stored_block() -> None:
    index = np.random.default_rng(0).integers(0, 3, (300, 500)).astype(np.uint8)
    assert np.array_equal(pixels_of(png(index, PALETTE), "x"), np.array(PALETTE, np.uint8)[index])


def test_a_gallery_keeps_what_it_was_given_and_moves_it_into_the_folder(tmp_path: Path) -> None:
    gallery = Gallery()
    image = gallery.put(PLAIN)
    assert image == Image(digest=digest_of(PLAIN)) == gallery.put(PLAIN)
    other = gallery.put(png(np.zeros((2, 2), np.uint8), PALETTE))
    gallery.keep_in(tmp_path / "pictures")
    gallery.pixels(image.digest)
    assert not picture_path(tmp_path / "pictures", other.digest).exists()  # nobody looked at it yet
    gallery.put(png(np.zeros((2, 2), np.uint8), PALETTE))
    assert picture_path(tmp_path / "pictures", other.digest).exists()
    assert picture_path(tmp_path / "pictures", image.digest).read_bytes() == PLAIN
    again = Gallery(tmp_path / "pictures")
    assert again.bytes_of(image.digest) == PLAIN
    assert again.of_key(int(image.digest[7:19], 16)) == image.digest
    assert copy.deepcopy(again) is again


def test_a_gallery_that_does_not_write_leaves_the_folder_alone(tmp_path: Path) -> None:
    gallery = Gallery(tmp_path / "pictures", write=False)
    image = gallery.put(PLAIN)
    assert not (tmp_path / "pictures").exists()
    assert gallery.bytes_of(image.digest) == PLAIN


def test_a_picture_that_was_changed_or_lost_is_refused(tmp_path: Path) -> None:
    gallery = Gallery(tmp_path)
    image = gallery.put(PLAIN)
    picture_path(tmp_path, image.digest).write_bytes(PLAIN + b" ")
    with pytest.raises(PictureError, match="is damaged: it is not what was written"):
        Gallery(tmp_path).pixels(image.digest)
    picture_path(tmp_path, image.digest).unlink()
    with pytest.raises(PictureError, match="is not there; restore"):
        gallery.bytes_of(image.digest)
    with pytest.raises(
        PictureError, match="a prompt shows the picture sha256:000000000001, which is not there"
    ):
        gallery.of_key(1)


BIG = Decoder.new("L", (MOST_SIDE + 1, 1))
REFUSED = {
    "nothing": (b"", "these bytes are no picture"),
    "text": (b"a red circle", "these bytes are no picture"),
    "svg": (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "these bytes are no picture"),
    "truncated": (saved(Decoder.effect_noise((64, 64), 50))[:1500], "cannot be decoded"),
    "a header alone": (PLAIN[:33], "cannot be decoded"),
    "too wide": (saved(BIG), f"is {MOST_SIDE + 1}x1, and {MOST_SIDE} a side are the most"),
    "transparent": (saved(Decoder.new("RGBA", (4, 4))), "pixels of the mode RGBA"),
    "inks": (saved(Decoder.new("CMYK", (4, 4)), "JPEG"), "pixels of the mode CMYK"),
    "16 bits": (saved(Decoder.new("I;16", (4, 4))), "pixels of the mode I;16"),
    "a transparent palette": (
        saved(Decoder.new("P", (4, 4)), transparency=0),
        "pixels of the mode P with transparency",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_picture_is_refused_in_one_line(name: str) -> None:
    content, said = REFUSED[name]
    with pytest.raises(PictureError, match=said) as caught:
        Gallery().put(content)
    assert "\n" not in str(caught.value)
    assert caught.value.fix


def test_a_file_of_many_bytes_is_refused_before_it_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pictures, "MOST_BYTES", 100)
    with pytest.raises(PictureError, match="has 101 bytes, and 100 are the most"):
        pixels_of(b"x" * 101, "sha256:0")


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB"])
def test_modes_of_one_colour_a_pixel_are_taken(mode: str) -> None:
    assert pixels_of(saved(Decoder.new(mode, (5, 3))), "x").shape == (3, 5, 3)


def test_without_pillow_the_line_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *args: Any, **kwargs: Any) -> Any:
        if name == "PIL":
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.delitem(sys.modules, "PIL", raising=False)
    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(
        PictureError, match="pictures need Pillow, which is not installed; `pip install pillow=="
    ):
        pixels_of(PLAIN, "x")


def test_two_pictures_that_prompts_could_not_tell_apart_are_refused() -> None:
    gallery = Gallery()
    digest = gallery.put(PLAIN).digest
    with pytest.raises(PictureError, match="begin alike"):
        gallery._know(digest[:19] + "0" * 52)
