"""Turns what Python programs call an image into a request's path or bytes."""

import io
import numbers
import os
import struct
import sys
import zlib
from typing import Any, Mapping, Optional, Tuple, Union

from .errors import RequestError

Request = Tuple[Optional[str], Union[bytes, bytearray, memoryview, None]]
"""A path or the bytes of an image file, one of which is None."""

EXTENSIONS = frozenset(
    "jpg jpeg jpe jfif png apng webp gif tif tiff avif bmp dib heic heif jxl jp2 j2k ppm pgm pbm pnm tga ico svg psd".split()
)
"""The ends of the names that are taken for those of images (docs/formats.md)."""

_ORIENTATION = 0x0112
"""The tag of EXIF that says how a photograph was held; 1 is upright."""


def request_of(image: Any) -> Request:
    """The path or the bytes of an image.

    Args:
        image: A path (``str`` or ``os.PathLike``), the bytes of an image file, a mapping with ``bytes`` and ``path`` as
            Hugging Face datasets have them with ``Image(decode=False)``, a PIL image, or an array of 8-bit samples of the shape
            (height, width), (height, width, 1) or (height, width, 3). PIL images are turned upright as EXIF says; of those with one
            channel of 16 bits (the modes ``I;16`` and ``I``) the high byte counts, as of files.

    Raises:
        RequestError: It is none of these.
    """
    if isinstance(image, str):
        return _path(image)
    if isinstance(image, (bytes, bytearray, memoryview)):
        return None, image
    if isinstance(image, os.PathLike):
        path = os.fspath(image)
        return _path(path if isinstance(path, str) else os.fsdecode(path))
    if isinstance(image, dict) and ("bytes" in image or "path" in image):
        content = image.get("bytes")
        if content is not None:
            return None, content
        if image.get("path"):
            return _path(str(image["path"]))
        raise RequestError("Expected an image with 'bytes' or 'path'; both are missing.")
    if _is_pil(image):
        return None, _of_pil(image)
    if _is_array(image):
        return None, _of_array(image)
    raise RequestError(
        "Expected a path, the bytes of an image file, a PIL image or an array of 8-bit samples; found %s." % type(image).__name__
    )


def name_of(image: Any) -> Optional[str]:
    """What a row should call an image of bytes: the path that came with them; None where there is none."""
    if isinstance(image, dict):
        path = image.get("path")
        return str(path) if path else None
    name = getattr(image, "filename", None)
    return name if isinstance(name, str) and name else None


def is_missing(image: Any) -> bool:
    """True for None, NaN, and pandas' NA and NaT, which tables have where there is no image."""
    if image is None or type(image).__name__ in ("NAType", "NaTType"):
        return True
    return isinstance(image, numbers.Number) and bool(image != image)


def is_image(mapping: Mapping[str, Any]) -> bool:
    """True for an image as Hugging Face datasets have it; records have other fields."""
    return bool(mapping) and set(mapping) <= {"bytes", "path"}


def is_one_image(images: Any) -> bool:
    """True for what is an image by itself, where several in an iterable are expected."""
    if isinstance(images, (bytes, bytearray, memoryview)):
        return True
    if isinstance(images, Mapping):
        return is_image(images)
    # An array of two or three dimensions is no list of lines of pixels.
    return _is_pil(images) or (_is_array(images) and len(images.shape) in (2, 3))


def path_of(image: Any) -> str:
    """The path that is all that is there of an image, for lists of paths.

    Raises:
        RequestError: It is none.
    """
    if isinstance(image, dict) and is_image(image) and image.get("bytes") is None:
        image = image.get("path")
    if not isinstance(image, (str, os.PathLike)):
        raise RequestError("Expected a path; found %s." % ("a missing value" if is_missing(image) else type(image).__name__))
    return checked(os.fsdecode(image))


def checked(path: str) -> str:
    """The path, which no file can have when it is empty or contains a NUL.

    Raises:
        RequestError: It does.
    """
    if not path:
        raise RequestError("Expected a path; found an empty one.")
    if "\0" in path:
        raise RequestError("Expected a path; found %r, which contains a NUL." % path)
    return path


def at(position: int, error: RequestError) -> RequestError:
    """The error of one of many, with its place."""
    return RequestError("%s It is at position %d, counted from 0." % (error, position))


def _is_pil(image: Any) -> bool:
    return hasattr(image, "save") and hasattr(image, "mode")


def _is_array(image: Any) -> bool:
    return hasattr(image, "shape") and hasattr(image, "dtype") and hasattr(image, "tobytes")


def _path(path: str) -> Request:
    checked(path)
    try:
        path.encode("utf-8")
    except UnicodeEncodeError:
        # A name that is not UTF-8 cannot be written into a JSON text. The file is read here.
        try:
            with open(path, "rb") as file:
                return None, file.read()
        except OSError:
            return path.encode("utf-8", "replace").decode("utf-8"), None
    return path, None


def _of_pil(image: Any) -> bytes:
    try:
        image.load()
        # Some formats are turned by load(), which then removes the tag.
        if image.getexif().get(_ORIENTATION, 1) != 1:
            from PIL import ImageOps

            image = ImageOps.exif_transpose(image)
        if image.mode == "F" or image.mode.startswith("I"):
            return _png(_high_bytes(image), image.height, image.width, 1)
        # The program puts what is transparent on its own background, as of files.
        if image.mode not in ("1", "L", "LA", "P", "RGB", "RGBA"):
            image = image.convert("RGB")
        buffer = io.BytesIO()
        image.save(buffer, "PNG", compress_level=0)
        return buffer.getvalue()
    except RequestError:
        raise
    except (OSError, SyntaxError, ValueError) as error:
        raise RequestError("Expected a PIL image that can be read; found one of the mode %s: %s" % (image.mode, error)) from error


def _high_bytes(image: Any) -> bytes:
    """The high bytes of 16-bit samples, which the program scores of a file with such samples."""
    samples: bytes = image.tobytes()
    if image.mode in ("I;16", "I;16L"):
        return samples[1::2]
    if image.mode == "I;16B":
        return samples[0::2]
    low, high = image.getextrema()
    if image.mode != "I" or low < 0 or high > 0xFFFF:
        raise RequestError("Expected a PIL image of 8 or 16 bits; found the mode %s with values from %s to %s." % (image.mode, low, high))
    return samples[1::4] if sys.byteorder == "little" else samples[2::4]


def _of_array(array: Any) -> bytes:
    shape = tuple(int(side) for side in array.shape)
    if str(array.dtype) not in ("uint8", "torch.uint8"):
        raise RequestError("Expected an array of uint8; found %s." % array.dtype)
    if len(shape) == 2:
        shape += (1,)
    if len(shape) != 3 or shape[2] not in (1, 3) or shape[0] < 1 or shape[1] < 1:
        raise RequestError(
            "Expected an array of the shape (height, width), (height, width, 1) or (height, width, 3); found %s." % (tuple(array.shape),)
        )
    return _png(array.tobytes(), *shape)


def _png(samples: bytes, height: int, width: int, channels: int) -> bytes:
    """A PNG file without compression (RFC 2083): the pixels as they are."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    row = width * channels
    lines = b"".join(b"\0" + samples[start:start + row] for start in range(0, height * row, row))
    header = struct.pack(">IIBBBBB", width, height, 8, 2 if channels == 3 else 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(lines, 0)) + chunk(b"IEND", b"")
