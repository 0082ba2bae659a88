"""Bodies decode to what was encoded, and never to more than is wanted."""

import gzip
import tracemalloc
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reconciler.errors import NetworkFailure
from reconciler.net.answers import read_limited


def bare(data: bytes) -> bytes:
    """Deflate without a header."""
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


@given(st.binary(max_size=5000), st.integers(1, 700), st.integers(0, 6000), st.sampled_from(["", "gzip", "deflate", "bare", "members"]))  # fmt: skip
def test_what_was_encoded_comes_back(data: bytes, step: int, limit: int, how: str) -> None:
    """In whatever pieces it comes."""
    pack = {"": bytes, "gzip": gzip.compress, "deflate": zlib.compress, "bare": bare,
            "members": lambda data: gzip.compress(data[:9]) + gzip.compress(data[9:])}[how]  # fmt: skip
    packed = pack(data)
    pieces = [packed[start : start + step] for start in range(0, len(packed), step)]
    encoding = {"bare": "deflate", "members": "gzip"}.get(how, how)
    assert read_limited(pieces, encoding, limit, "host") == (data[:limit], len(data) > limit)


def test_a_bomb_goes_off_in_a_small_room() -> None:
    """A gigabyte in a megabyte: of it is decoded what is wanted."""
    bomb = gzip.compress(bytes(200 * 2**20), 9)
    tracemalloc.start()
    try:
        body, cut = read_limited([bomb], "gzip", 2**20, "host")
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (len(body), cut) == (2**20, True)
    assert peak < 5 * 2**20


@pytest.mark.parametrize(
    ("data", "encoding"),
    [(b"no gzip", "gzip"), (b"x", "br"), (b"x", "gzip, gzip"), (b"\x1f\x8b\x08" + b"\0" * 12, "gzip")],
)
def test_what_cannot_be_decoded(data: bytes, encoding: str) -> None:
    """Is a failure of the server, in words."""
    with pytest.raises(NetworkFailure, match="^host: its answer"):
        read_limited([data], encoding, 100, "host")
