"""Hypothesis strategies for the content of untrusted files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from hypothesis import strategies as st

from steadymark.models.errors import SteadymarkError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from hypothesis.strategies import SearchStrategy

T = TypeVar("T")
MALICIOUS_NAMES = (
    "net.onnx",
    "../net.onnx",
    "/etc/passwd",
    "..",
    ".",
    "",
    "C:\\net.onnx",
    "..\\net.onnx",
    "net\x00.onnx",
    "x" * 5000,
    "~/net.onnx",
    "link.onnx",
    "http://example.org/a",
)
NUMBERS: SearchStrategy[Any] = st.one_of(
    st.integers(),
    st.floats(),
    st.sampled_from([10**400, -1, 2**31, 2**63, 10**12, 1e308]),
)
VALUES: SearchStrategy[Any] = st.recursive(
    st.one_of(
        st.none(), st.booleans(), NUMBERS, st.text(max_size=20), st.sampled_from(MALICIOUS_NAMES)
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=8,
)


def objects(names: Sequence[str]) -> SearchStrategy[dict[str, Any]]:
    """JSON objects that have some of these names, with any values."""
    return st.dictionaries(st.sampled_from(list(names)), VALUES, max_size=len(names))


@st.composite
def corrupted(draw: st.DrawFn, valid: bytes, *, most: int = 4) -> bytes:
    """A valid file with some bytes changed, removed, inserted or repeated, or cut off."""
    content = bytearray(valid)
    for _ in range(draw(st.integers(1, most))):
        position = draw(st.integers(0, len(content)))
        length = draw(st.integers(0, 30))
        new = draw(st.one_of(st.binary(max_size=12), st.sampled_from(FRAGMENTS)))
        match draw(st.sampled_from(["alter", "cut", "double"])):
            case "alter":
                content[position : position + length] = new
            case "cut":
                del content[position:]
            case _:
                content[position:position] = content[position : position + length] * 3
    return bytes(content)


FRAGMENTS = (
    b"nan", b"inf", b"1e999", b"-1", b"9" * 30, b",", b"\n", b"\r", b"\x00", b"\xff\xfe", b'"',
    b"{", b"}", b"tracked", b"lost", b"9007199254740992", b"2147483648", b"1_0", b"#",
    "٣".encode(),
)  # fmt: skip


def read_or_refused(read: Callable[[], T], name: str) -> T | None:
    """The result of `read`; None if it refuses in one sentence with the name of the file."""
    try:
        return read()
    except SteadymarkError as error:
        message = str(error)
    assert message.isprintable()
    assert name in message
    return None
