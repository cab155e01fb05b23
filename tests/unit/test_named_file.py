"""Files that somebody named: regular ones are read up to a bound, whatever could keep us waiting is refused."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glasshouse.words.named_file import SPECIAL, open_named, read_named


@given(content=st.binary(max_size=100), limit=st.integers(0, 100))
def test_a_byte_more_than_the_bound_is_read_so_that_more_can_be_told(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, limit: int
) -> None:
    file = tmp_path_factory.mktemp("named") / "file"
    file.write_bytes(content)
    assert read_named(file, limit) == content[: limit + 1]


def test_a_link_to_a_file_is_followed(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"here")
    (tmp_path / "link").symlink_to("file")
    with open_named(tmp_path / "link") as file:
        assert file.read() == b"here"


@pytest.mark.parametrize("linked", [False, True])
def test_a_fifo_is_refused_and_not_waited_for(tmp_path: Path, linked: bool) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("pipe")
    with pytest.raises(OSError, match="FIFO") as refused:
        read_named(tmp_path / ("link" if linked else "pipe"), 10)
    assert refused.value.strerror == SPECIAL


@pytest.mark.parametrize("device", ["/dev/zero", "/dev/null", "/dev/tty"])
def test_a_device_is_refused(device: str) -> None:
    with pytest.raises(OSError, match=r"device|No such"):
        read_named(device, 10)


def test_folders_sockets_and_what_is_not_there_are_errors_that_say_so(tmp_path: Path) -> None:
    with pytest.raises(IsADirectoryError):
        read_named(tmp_path, 10)
    with pytest.raises(FileNotFoundError):
        read_named(tmp_path / "none", 10)
    with socket.socket(socket.AF_UNIX) as listening:
        folder = os.open(tmp_path, os.O_RDONLY)
        try:
            listening.bind(f"/proc/self/fd/{folder}/s")
        finally:
            os.close(folder)
        with pytest.raises(OSError, match=r"socket|No such device"):
            read_named(tmp_path / "s", 10)


def test_refusing_leaves_no_descriptor_open(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(20):
        with pytest.raises(OSError, match="FIFO"):
            open_named(tmp_path / "pipe")
    assert len(os.listdir("/proc/self/fd")) == before
