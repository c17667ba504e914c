"""The CID of a file, computed from the specifications alone, to hold against what cidbus says.

Profile unixfs-v1-2025: CIDv1, sha2-256, raw leaves of 1 MiB, balanced, at most 1024 links a node
(https://specs.ipfs.tech/unixfs/ and https://ipld.io/specs/codecs/dag-pb/spec/).
"""

import base64
import hashlib

RAW, DAG_PB, SHA2_256 = 0x55, 0x70, 0x12
CHUNK = 1 << 20
WIDTH = 1024
UNIXFS_FILE = 2


def varint(number):
    out = bytearray()
    while number >= 0x80:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes(out) + bytes([number])


def binary_cid(codec, block):
    return bytes([1, codec, SHA2_256, 32]) + hashlib.sha256(block).digest()


def text(binary):
    """CIDv1 in base32, lower case, no padding, with its multibase letter."""
    return "b" + base64.b32encode(binary).decode().rstrip("=").lower()


def cid_of_raw(block):
    return text(binary_cid(RAW, block))


def field(number, value):
    """A protobuf field: a varint for a number, length and bytes for bytes."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    return varint(number << 3 | 2) + varint(len(value)) + value


def cid_of_file(data):
    """The CID of a file of at most CHUNK * WIDTH bytes."""
    chunks = [data[at:at + CHUNK] for at in range(0, len(data), CHUNK)] or [b""]
    if len(chunks) == 1:
        return cid_of_raw(data)
    if len(chunks) > WIDTH:
        raise ValueError("a file of more than one level is not computed here")
    links = b"".join(field(2, field(1, binary_cid(RAW, chunk)) + field(2, b"") + field(3, len(chunk)))
                     for chunk in chunks)
    unixfs = field(1, UNIXFS_FILE) + field(3, len(data)) + b"".join(field(4, len(chunk)) for chunk in chunks)
    return text(binary_cid(DAG_PB, links + field(1, unixfs)))
