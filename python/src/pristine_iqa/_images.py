"""Turns what Python programs call an image into a request's path or bytes."""

import io
import os
import struct
import zlib
from typing import Any, Optional, Tuple, Union

from .errors import RequestError

_ORIENTATION = 0x0112

Request = Tuple[Optional[str], Union[bytes, bytearray, memoryview, None]]
"""A path or the bytes of an image file, one of which is None."""


def request_of(image: Any) -> Request:
    """The path or the bytes of an image.

    Args:
        image: A path (``str`` or ``os.PathLike``), the bytes of an image file, a mapping with ``bytes`` and ``path`` as
            Hugging Face datasets have them with ``Image(decode=False)``, a PIL image, or an array of 8-bit samples of the shape
            (height, width), (height, width, 1) or (height, width, 3).

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
    if hasattr(image, "save") and hasattr(image, "mode"):
        return None, _of_pil(image)
    if hasattr(image, "shape") and hasattr(image, "dtype") and hasattr(image, "tobytes"):
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


def _path(path: str) -> Request:
    if not path:
        raise RequestError("Expected the path of an image; found an empty one.")
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
    """A PNG file of what the image's own file shows: turned upright, with its transparency and its 16 bits."""
    if image.getexif().get(_ORIENTATION, 1) != 1:
        from PIL import ImageOps

        image = ImageOps.exif_transpose(image)
    if image.mode.startswith("I"):
        image = image if image.mode == "I" else image.convert("I")
        least, most = image.getextrema()
        if least < 0 or most > 0xFFFF:
            raise RequestError("Expected an image of mode %s with values of 16 bits, 0 to 65535; found %s to %s." % (image.mode, least, most))
    elif image.mode == "F":
        raise RequestError("Expected an image of 8 or 16 bits per sample; found one of mode F, whose range is not known.")
    elif image.mode not in ("1", "L", "LA", "P", "RGB", "RGBA"):
        image = image.convert("RGB")
    buffer = io.BytesIO()
    image.save(buffer, "PNG", compress_level=0)
    return buffer.getvalue()


def _of_array(array: Any) -> bytes:
    shape = tuple(int(side) for side in array.shape)
    if str(array.dtype) not in ("uint8", "torch.uint8"):
        raise RequestError("Expected an array of uint8; found %s." % array.dtype)
    if len(shape) == 2:
        shape += (1,)
    if len(shape) != 3 or shape[2] not in (1, 3) or shape[0] < 1 or shape[1] < 1:
        raise RequestError("Expected an array of the shape (height, width), (height, width, 1) or (height, width, 3); found %s." % (tuple(array.shape),))
    return _png(array.tobytes(), *shape)


def _png(samples: bytes, height: int, width: int, channels: int) -> bytes:
    """A PNG file without compression (RFC 2083): the pixels as they are."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    row = width * channels
    lines = b"".join(b"\0" + samples[start:start + row] for start in range(0, height * row, row))
    header = struct.pack(">IIBBBBB", width, height, 8, 2 if channels == 3 else 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(lines, 0)) + chunk(b"IEND", b"")
