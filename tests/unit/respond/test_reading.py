"""Log formats: what can be read is read, what cannot is named with its reason."""

from __future__ import annotations

import gzip
import io
import json
from pathlib import Path
from typing import Any

import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from glasshouse.respond.read.inputs import read_logs
from glasshouse.respond.read.interface import Chunk, Limits
from glasshouse.words.errors import PathError
from glasshouse.words.incident import NotRead

EVENTS = [{"Channel": "Security", "EventID": n, "Computer": "ws1", "Text": "ü" * n} for n in range(5)]
NDJSON = "".join(json.dumps(each) + "\n" for each in EVENTS).encode()


def read(place: Path, limits: Limits | None = None) -> tuple[list[dict[str, Any]], list[NotRead]]:
    """Events and notices."""
    events, notices = [], []
    for item in read_logs([place], io.BytesIO(), limits):
        if isinstance(item, Chunk):
            events += item.events
        else:
            notices.append(item)
    return events, notices


def written(folder: Path, name: str, data: bytes) -> Path:
    place = folder / name
    place.write_bytes(data)
    return place


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("plain.json", NDJSON),
        ("no-last-line-end.json", NDJSON.rstrip()),
        ("with-bom.json", b"\xef\xbb\xbf" + NDJSON),
        ("packed.json.gz", gzip.compress(NDJSON)),
        ("packed.zst", zstandard.ZstdCompressor().compress(NDJSON)),
        ("two-frames.zst", b"".join(zstandard.ZstdCompressor().compress(part) for part in (NDJSON[:40], NDJSON[40:]))),
        ("array.json", json.dumps(EVENTS).encode()),
        ("pretty.json", json.dumps(EVENTS, indent=2).encode()),
        ("records.json", json.dumps({"Records": EVENTS}).encode()),
        ("sequence.json", "\n".join(json.dumps(each, indent=1) for each in EVENTS).encode()),
    ],
)
def test_json_is_read_in_all_its_forms(tmp_path: Path, name: str, data: bytes) -> None:
    assert read(written(tmp_path, name, data)) == (EVENTS, [])


def test_damaged_lines_are_counted_and_the_others_read(tmp_path: Path) -> None:
    data = b'{"Channel": "A", "EventID": 1}\n{"broken": \n[1]\n{"Channel": "A", "EventID": 2}\n'
    events, notices = read(written(tmp_path, "a.json", data))
    assert [each["EventID"] for each in events] == [1, 2]
    assert [(each.code, "2 lines" in each.reason) for each in notices] == [("damaged-lines", True)]


@pytest.mark.parametrize("packed", [gzip.compress(NDJSON * 200), zstandard.ZstdCompressor().compress(NDJSON * 200)])
def test_a_compressed_file_cut_short_gives_what_can_be_read(tmp_path: Path, packed: bytes) -> None:
    _, notices = read(written(tmp_path, "cut", packed[: len(packed) // 2]))
    assert notices
    assert notices[0].code in ("truncated", "damaged-lines")


def test_an_array_cut_short_gives_the_whole_objects(tmp_path: Path) -> None:
    events, notices = read(written(tmp_path, "a.json", json.dumps(EVENTS).encode()[:-60]))
    assert events == EVENTS[: len(events)]
    assert [each.code for each in notices] == ["truncated"]


def test_a_file_larger_than_the_limit_is_read_up_to_it(tmp_path: Path) -> None:
    events, notices = read(written(tmp_path, "a.json", NDJSON), Limits(file_bytes=len(NDJSON) - 3))
    assert len(events) == 4
    assert "too-large" in [each.code for each in notices]


def test_a_line_larger_than_the_limit_is_skipped_and_numbers_stay_right(tmp_path: Path) -> None:
    long = json.dumps({"Channel": "A", "Text": "x" * 3_000_000}).encode()
    data = b'{"Channel": "A", "n": 1}\n' + long + b'\n{"Channel": "A", "n": 2}\n'
    events, _ = read(written(tmp_path, "a.json", data), Limits(line_bytes=1_000))
    assert [each["n"] for each in events if "n" in each] == [1, 2]


def test_windows_events_as_xml_turned_json_become_flat(tmp_path: Path) -> None:
    nested = {
        "Event": {
            "System": {
                "Provider": {"#attributes": {"Name": "Sysmon"}},
                "EventID": {"#attributes": {"Qualifiers": ""}, "#text": 1},
                "TimeCreated": {"#attributes": {"SystemTime": "2024-05-01T00:00:00Z"}},
                "Channel": "Microsoft-Windows-Sysmon/Operational",
                "Computer": "ws1",
            },
            "EventData": {"Image": "C:\\a.exe", "CommandLine": ""},
        }
    }
    events, _ = read(written(tmp_path, "a.json", json.dumps(nested).encode()))
    assert events[0]["EventID"] == 1
    assert events[0]["Image"] == "C:\\a.exe"
    assert events[0]["TimeCreated"] == "2024-05-01T00:00:00Z"


def test_ecs_events_get_the_names_of_sigma(tmp_path: Path) -> None:
    ecs = {"winlog": {"channel": "Security", "event_data": {"X": "y"}}, "event": {"code": "4688"}, "ecs": {}}
    events, _ = read(written(tmp_path, "a.json", json.dumps(ecs).encode()))
    assert (events[0]["Channel"], events[0]["EventID"], events[0]["X"]) == ("Security", "4688", "y")


def test_auditd_records_are_read_and_program_starts_joined(tmp_path: Path) -> None:
    text = (
        'type=SYSCALL msg=audit(1364481363.243:24287): arch=c000003e ppid=1 pid=99 auid=1000 exe="/usr/bin/curl"\n'
        'type=EXECVE msg=audit(1364481363.243:24287): argc=2 a0="curl" a1=687474703A2F2F782F61\n'
        "not a record\n"
    )
    events, notices = read(written(tmp_path, "audit.log", text.encode()))
    assert [each.get("type") for each in events] == ["SYSCALL", "EXECVE", None]
    assert events[2]["CommandLine"] == "curl http://x/a"
    assert events[2]["Image"] == "/usr/bin/curl"
    assert notices[0].code == "damaged-lines"


def test_zeek_syslog_and_csv_are_read(tmp_path: Path) -> None:
    zeek = "#separator \\x09\n#path\thttp\n#fields\tts\tmethod\turi\n1.5\tGET\t/a\n#close\n"
    syslog = "May  1 12:00:00 host1 sshd[7]: Failed password for root\n<13>1 2024-05-01T12:00:00Z h app 1 - - hello\n"
    table = "EventID,Channel,Computer\n4625,Security,ws1\n"
    assert read(written(tmp_path, "http.log", zeek.encode()))[0][0]["c-uri"] == "/a"
    lines, _ = read(written(tmp_path, "auth.log", syslog.encode()))
    assert {each["program"] for each in lines} == {"sshd", "app"}
    assert read(written(tmp_path, "a.csv", table.encode()))[0] == [
        {"EventID": "4625", "Channel": "Security", "Computer": "ws1"}
    ]


def test_a_damaged_event_log_is_no_crash(tmp_path: Path) -> None:
    events, notices = read(written(tmp_path, "a.evtx", b"ElfFile\x00" + b"\x00" * 5_000))
    assert events == []
    assert notices


def test_empty_and_unknown_files_are_named(tmp_path: Path) -> None:
    written(tmp_path, "empty", b"")
    written(tmp_path, "noise", bytes(range(256)))
    _, notices = read(tmp_path)
    assert {each.code for each in notices} == {"empty", "unknown-format"}


def test_a_missing_path_is_an_error_that_names_it() -> None:
    with pytest.raises(PathError) as caught:
        read(Path("/nonexistent/log"))
    assert caught.value.where == "/nonexistent/log"


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.one_of(st.binary(max_size=400), st.binary(max_size=200).map(lambda tail: b'{"Channel": "A"}\n' + tail)))
def test_no_bytes_make_the_readers_fail(tmp_path: Path, data: bytes) -> None:
    read(written(tmp_path, "any", data))
    read(written(tmp_path, "any.evtx", b"ElfFile\x00" + data))
    read(written(tmp_path, "any.gz", b"\x1f\x8b" + data))
