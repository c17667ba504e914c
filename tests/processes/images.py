#!/usr/bin/env python3
"""The kind and the size of a picture, read from its first bytes: JPEG, PNG and WebP, by their specifications.

    tests/processes/images.py FILE        prints: jpeg 6028 3391

Nothing here is cidbus's own image code, so that a test which asks for 320 pixels does not ask the one who made them.
"""

import struct
import sys

# JPEG's start-of-frame markers (ITU-T T.81, table B.1): C0 to CF without the tables C4, C8 and CC.
JPEG_FRAMES = set(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}


def jpeg_size(data):
    """ITU-T T.81, B.1 and B.2.2: segments of marker and length until the frame header."""
    at = 2
    while at + 9 <= len(data):
        if data[at] != 0xFF:
            raise ValueError("not a JPEG marker where one must be")
        marker = data[at + 1]
        if marker == 0xFF:  # fill byte
            at += 1
        elif marker in JPEG_FRAMES:
            height, width = struct.unpack_from(">HH", data, at + 5)
            return width, height
        elif 0xD0 <= marker <= 0xD8 or marker == 0x01:  # markers without a length
            at += 2
        else:
            at += 2 + struct.unpack_from(">H", data, at + 2)[0]
    raise ValueError("a JPEG that ends before its frame header")


def png_size(data):
    """RFC 2083, 4.1.1: IHDR is the first chunk."""
    if data[12:16] != b"IHDR":
        raise ValueError("a PNG without IHDR")
    return struct.unpack_from(">II", data, 16)


def webp_size(data):
    """RFC 9649: the lossy, lossless and extended forms."""
    form = data[12:16]
    if form == b"VP8 ":
        width, height = struct.unpack_from("<HH", data, 26)
        return width & 0x3FFF, height & 0x3FFF
    if form == b"VP8L":
        bits = struct.unpack_from("<I", data, 21)[0]
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if form == b"VP8X":
        return int.from_bytes(data[24:27], "little") + 1, int.from_bytes(data[27:30], "little") + 1
    raise ValueError("a WebP of unknown form")


def image_size(data):
    """(kind, width, height) of the picture in `data`; ValueError when it is none that is known here."""
    try:
        if data[:3] == b"\xff\xd8\xff":
            return ("jpeg", *jpeg_size(data))
        if data[:8] == b"\x89PNG\r\n\x1a\n":
            return ("png", *png_size(data))
        if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
            return ("webp", *webp_size(data))
    except (struct.error, IndexError) as short:
        raise ValueError(f"a picture that is cut off: {short}") from short
    raise ValueError("neither JPEG nor PNG nor WebP")


if __name__ == "__main__":
    with open(sys.argv[1], "rb") as file:
        try:
            print(*image_size(file.read()))
        except ValueError as problem:
            sys.exit(f"{sys.argv[1]}: {problem}")
