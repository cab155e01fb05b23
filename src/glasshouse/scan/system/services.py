"""Services of systemd that the owner of the system added: root without restrictions, programs that others may write."""

from __future__ import annotations

import re
import stat
from collections.abc import Iterator

from glasshouse.scan.detect.secrets import redact
from glasshouse.scan.system.model import Hit, System, setting_lines

FOLDERS = ("etc/systemd/system", "usr/local/lib/systemd/system")
"""Units of packages lie in /usr/lib/systemd and are their distribution's decision."""
RESTRICTIONS = frozenset(
    "protectsystem protecthome privatetmp privatedevices nonewprivileges capabilityboundingset systemcallfilter "
    "restrictaddressfamilies readonlypaths inaccessiblepaths privatenetwork privateusers rootdirectory rootimage "
    "temporaryfilesystem protectkerneltunables restrictnamespaces".split()
)
_OFF = frozenset({"no", "false", "off", "0", ""})
_PROGRAM = re.compile(r"^[-@:+!|]*(/\S+)")
_SECRET = re.compile(
    r"(?i)\b([A-Z0-9_]*(?:PASSWORD|PASSWD|SECRET|TOKEN|API_?KEY|PRIVATE_?KEY)[A-Z0-9_]*)=(\"[^\"]+\"|'[^']+'|[^\s\"']+)"
)


def services(system: System) -> Iterator[Hit]:
    """Every check of unit files."""
    for folder in FOLDERS:
        for node in system.inside(folder, "*.service"):
            if node.is_file:
                yield from _unit(system, node.path)


def _unit(system: System, path: str) -> Iterator[Hit]:
    values: dict[str, tuple[int, str]] = {}
    section = ""
    for number, text in setting_lines(system.lines(path)):
        if text.startswith("["):
            section = text.strip("[]").lower()
            continue
        key, separator, value = text.partition("=")
        key, value = key.strip().lower(), value.strip()
        if section != "service" or not separator:
            continue
        values[key] = number, value
        if key.startswith("exec"):
            yield from _program(system, path, number, value)
        for match in _SECRET.finditer(value) if key == "environment" else ():
            shown = f"Environment={match[1]}={redact(match[2])}"
            yield Hit("system-service-secret", path, match[1], number, shown, match[1])
    number, start = values.get("execstart", (0, ""))
    user = values.get("user", (0, "root"))[1].lower()
    dynamic = values.get("dynamicuser", (0, "no"))[1].lower() not in _OFF
    restricted = any(key in RESTRICTIONS and value.lower() not in _OFF for key, (_, value) in values.items())
    if start and not dynamic and user in ("", "root", "0") and not restricted:
        yield Hit("system-service-as-root", path, path.rpartition("/")[2], number, f"ExecStart={start[:100]}")


def _program(system: System, path: str, number: int, command: str) -> Iterator[Hit]:
    match = _PROGRAM.match(command)
    if match is None:
        return
    place = match[1].lstrip("/")
    folder = place.rpartition("/")[0]
    for each in (place, folder):
        node = system.tree.node(each)
        writable = node is not None and node.mode & stat.S_IWOTH and not (node.is_folder and node.mode & stat.S_ISVTX)
        if node is not None and writable and not node.is_link:
            shown = f"{stat.filemode(node.mode)} /{each}"
            yield Hit("system-service-program-writable", path, f"/{each}", number, shown, place)
            return
