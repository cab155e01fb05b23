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
_TITLE = re.compile(r"[a-z0-9][a-z0-9.$]{2,40}")
_EMPTY = frozenset(
    "potential potentially suspicious possible uncommon unusual activity attempt execution executed detected detection "
    "windows via from with process creation created command commandline line file using the and for use usage event "
    "system tool new set added modified related rule susp sysmon security network connection initiated image load "
    "access remote service registry key value powershell script".split()
)


def title_words(title: str) -> set[str]:
    """The telling words of a rule's title."""
    return {word for word in _TITLE.findall(title.lower()) if word not in _EMPTY}


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
