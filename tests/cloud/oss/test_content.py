"""Content is shared, never written out, and its CRC64 is that of what is read."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given, strategies as st

from tests.cloud.oss import crc64, extents, seeded

sizes = st.integers(0, 20 * seeded.BLOCK) | st.integers(0, 20).map(lambda blocks: blocks * seeded.BLOCK)


def read(content: extents.Content) -> bytes:
    return b"".join(content.chunks(0, content.size))


def test_the_checksum_is_crc64_xz() -> None:
    assert crc64.checksum(b"123456789") == 0x995DC9BBDF1939FA  # the check value of the CRC catalogue


@given(st.binary(max_size=300), st.binary(max_size=300))
def test_checksums_of_neighbours_combine(first: bytes, second: bytes) -> None:
    together = crc64.combine(crc64.checksum(first), crc64.checksum(second), len(second))
    assert together == crc64.checksum(first + second)


@given(st.integers(0, 2**64 - 1), sizes, sizes)
def test_the_checksum_of_a_seeded_stretch_is_that_of_its_bytes(seed: int, start: int, length: int) -> None:
    stretch = seeded.read(seed, start, start + length)
    assert len(stretch) == length
    assert seeded.checksum(seed, start, start + length) == crc64.checksum(stretch)


@given(st.lists(st.integers(1, 3_000_000), min_size=1, max_size=8))
def test_parts_of_a_seeded_object_join_to_an_equal_object(lengths: list[int]) -> None:
    whole = extents.made(7, 2_000_000 + sum(lengths))
    parts, start = [], 0
    for length in [*lengths, 2_000_000]:
        parts.append(whole.cut(start, start + length))
        start += length
    joined = extents.join(parts)
    assert (joined.checksum, joined.size, joined.etag()) == (whole.checksum, whole.size, whole.etag())
    assert len(joined.extents) == 1


@given(st.lists(st.binary(max_size=100), max_size=6), st.integers(0, 600), st.integers(0, 600))
def test_a_cut_of_joined_bytes_is_the_slice_of_them(pieces: list[bytes], a: int, b: int) -> None:
    contents = []
    for piece in pieces:
        writer = extents.Writer(None)
        writer.write(piece)
        contents.append(writer.finish()[0])
    whole = b"".join(pieces)
    start, stop = sorted((min(a, len(whole)), min(b, len(whole))))
    cut = extents.join(contents).cut(start, stop)
    assert read(cut) == whole[start:stop]
    assert cut.checksum == crc64.checksum(whole[start:stop])


def test_equal_seeds_and_ranges_have_equal_etags_and_others_have_not() -> None:
    first, second, other = extents.made(1, 10**9), extents.made(1, 10**9), extents.made(2, 10**9)
    assert first.cut(5, 10**8).etag() == second.cut(5, 10**8).etag()
    assert first.cut(5, 10**8).etag() != first.cut(6, 10**8 + 1).etag()
    assert first.etag() != other.etag()


def test_a_large_body_goes_to_a_file_that_leaves_with_its_content(tmp_path: Path) -> None:
    writer = extents.Writer(tmp_path)
    data = seeded.read(3, 0, extents.SPILL + 12345)
    for offset in range(0, len(data), 100_000):
        writer.write(data[offset : offset + 100_000])
    content, _ = writer.finish()
    assert len(list(tmp_path.iterdir())) == 1
    assert read(content.cut(70_000, len(data) - 1)) == data[70_000:-1]
    assert content.checksum == crc64.checksum(data)
    del content, writer
    assert list(tmp_path.iterdir()) == []


def test_corrupted_content_has_the_same_length_and_another_checksum() -> None:
    for content in (extents.made(1, 10), extents.made(1, 10**9)):
        assert content.corrupted().size == content.size
        assert content.corrupted().checksum != content.checksum
