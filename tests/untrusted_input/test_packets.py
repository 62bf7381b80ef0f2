"""Untrusted packets and target addresses: every value is checked, or they are refused."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from steadymark.engine.core.errors import UsageError
from steadymark.engine.streaming.osf import FEATURES, osf_packet, parse_osf_packet
from steadymark.engine.streaming.targets import parse_target
from support.fakes.fake_results import track_result
from support.fakes.stream_receivers import posed_face
from support.malformed_files import corrupted, read_or_refused

VALID_PACKET = osf_packet(posed_face((0.1, 0.2, 0.3)), track_result(0).frame_with_image, 1.7e9)


@st.composite
def altered(draw: st.DrawFn) -> bytes:
    """One or several valid packets with some bytes altered; their length is kept."""
    content = bytearray(VALID_PACKET * draw(st.integers(1, 3)))
    for _ in range(draw(st.integers(1, 6))):
        position = draw(st.integers(0, len(content) - 8))
        new = draw(st.sampled_from([b"\xff\xff\xff\x7f", b"\0\0\x80\x7f", b"\x02", b"\xff" * 8]))
        content[position : position + len(new)] = draw(
            st.one_of(st.just(new), st.binary(min_size=1, max_size=8))
        )
    return bytes(content[: len(VALID_PACKET) * (len(content) // len(VALID_PACKET))])


@given(
    data=st.one_of(
        st.binary(max_size=4000),
        st.binary(min_size=1785, max_size=1785),
        altered(),
        corrupted(VALID_PACKET),
        corrupted(VALID_PACKET * 3),
    )
)
def test_a_packet_is_parsed_or_refused(data: bytes) -> None:
    faces = read_or_refused(lambda: parse_osf_packet(data), "OpenSeeFace packet")
    for face in faces or ():
        assert tuple(face.features) == FEATURES
        assert face.points_px.shape == (68, 2)
        assert face.points_3d.shape == (70, 3)
        for values in (face.quaternion, face.euler_deg, face.translation, face.points_3d):
            assert np.isfinite(values).all()
        assert np.isfinite(
            [face.time_s, *face.size, face.right_open, *face.features.values()]
        ).all()


@given(
    kind=st.sampled_from(["osf", "vmc", "lsl", "", "http"]),
    address=st.one_of(
        st.text(max_size=30),
        st.from_regex(r"\\[?[0-9a-f.:]{1,20}\\]?(:-?[0-9]{1,7})?", fullmatch=True),
        st.sampled_from(["[::1]:39540", "host:", ":1", "a@b:1", "x" * 300, "host:٣", "[::1"]),
    ),
)
def test_an_address_to_send_to_is_parsed_or_refused(kind: str, address: str) -> None:
    try:
        target = parse_target(f"{kind}://{address}")
    except UsageError as error:
        assert "\n" not in str(error)  # noqa: PT017
        return
    assert parse_target(str(target)) == target
    if target.kind != "lsl":
        assert 1 <= target.port <= 65_535
        assert target.host
