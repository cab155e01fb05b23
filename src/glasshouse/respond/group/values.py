"""What a detection's evidence names beyond its entities: the program that acted, and telling words."""

from __future__ import annotations

import re
from collections.abc import Set

from glasshouse.words.incident import Detection

_IMAGES = ("Image", "NewProcessName", "SourceImage", "ProcessName")
_WORDY = frozenset({
    *_IMAGES, "CommandLine", "ParentImage", "ParentCommandLine", "ParentProcessName", "TargetFilename", "TargetObject",
    "TargetImage", "Details", "ServiceName", "ServiceFileName", "ImagePath", "ImageLoaded", "ScriptBlockText",
    "TaskName", "TaskContent", "PipeName", "QueryName", "RelativeTargetName", "ShareName", "Payload", "ObjectName",
    "Product", "Hashes", "Path", "(all fields)",
})  # fmt: skip
_WORD = re.compile(r"[^\s\"'=,;()<>|\\/:{}\[\]&]{4,120}")
_COMMON = frozenset(
    "windows system32 syswow64 program files users powershell.exe cmd.exe svchost.exe explorer.exe microsoft software "
    "services.exe currentversion system currentcontrolset hklm true false appdata local temp roaming desktop downloads "
    "documents none http https unknown information".split()
)
MAX_WORDS = 400


def image_of(detection: Detection) -> str:
    """The file name of the program that acted, lower case, or nothing."""
    evidence = dict(detection.evidence)
    found = next((evidence[each] for each in _IMAGES if evidence.get(each)), "")
    return found.lower().rpartition("\\")[2].rpartition("/")[2]


def words_of(detection: Detection, but: Set[str]) -> set[str]:
    """Words of command lines, paths, keys and scripts that could tell one attack from another; none in ``but``."""
    found: set[str] = set()
    for field, value in detection.evidence:
        if field in _WORDY:
            for word in _WORD.findall(value.lower()):
                if word not in _COMMON and word not in but and not (word.isdigit() and len(word) < 5):
                    found.add(word)
        if len(found) > MAX_WORDS:
            break
    return found
