"""Package databases and lists of Linux distributions, as text.

A database does not say of which release it is: `os-release` beside it does, or ``# distro: debian 12`` as the first
line of a list.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from glasshouse.inventory.component import Component, Entry, LeftOut, distribution
from glasshouse.inventory.document import Document

_DISTRO = re.compile(r"#\s*distro:\s*(\S+)\s*(\S*)")
_RPM = re.compile(
    r"^(?P<name>.+)-(?P<version>[^-]+-[^-]+?)(?:\.(?:x86_64|noarch|aarch64|i[3-6]86|ppc64le|s390x|src))?$"
)
_SOURCE = re.compile(r"(\S+)(?: \(([^)]+)\))?")
OS_RELEASE = ("etc/os-release", "usr/lib/os-release")
MAX_RELEASE_BYTES = 100_000


def dpkg(document: Document) -> Iterator[Entry | LeftOut]:
    """/var/lib/dpkg/status, and the files of status.d in images without dpkg; advisories name the source package."""
    lines = document.lines()
    ecosystem = ecosystem_of(document, "debian", "Debian")
    for start, fields in _stanzas(lines):
        name, version = fields.get("Package", ""), fields.get("Version", "")
        if not name or "installed" not in fields.get("Status", "installed").split():
            continue
        source, own = name, version
        if match := _SOURCE.match(fields.get("Source", "")):
            source, own = match[1], match[2] or version
        if own:
            yield Entry(Component(ecosystem, source, own), start, installed_as=name)
        else:
            yield LeftOut(name[:100], "no version", start)


def _stanzas(lines: list[str]) -> Iterator[tuple[int, dict[str, str]]]:
    """Paragraphs of ``Field: value`` lines, each with its first line's number."""
    fields: dict[str, str] = {}
    start = 0
    for number, line in enumerate([*lines, ""], start=1):
        if not line.strip():
            if fields:
                yield start, fields
            fields = {}
        elif not line[0].isspace() and ":" in line:
            start = start if fields else number
            key, _, value = line.partition(":")
            fields[key] = value.strip()


def dpkg_list(document: Document) -> Iterator[Entry | LeftOut]:
    """Lines of name and version, as `dpkg-query -W` prints them."""
    ecosystem = ecosystem_of(document, "debian", "Debian")
    for number, line in enumerate(document.lines(), start=1):
        parts = line.split()
        if not parts or line.startswith("#"):
            continue
        if len(parts) < 2:
            yield LeftOut(parts[0][:100], "no version", number)
        else:
            yield Entry(Component(ecosystem, parts[0].partition(":")[0], parts[1]), number)


def apk(document: Document) -> Iterator[Entry | LeftOut]:
    """/lib/apk/db/installed; advisories name the origin."""
    ecosystem = ecosystem_of(document, "alpine", "Alpine")
    for start, fields in _stanzas(document.lines()):
        own, version = fields.get("P", ""), fields.get("V", "")
        name = fields.get("o") or own
        if name:
            yield (
                Entry(Component(ecosystem, name, version), start, installed_as=own)
                if version
                else LeftOut(name[:100], "no version", start)
            )


def rpm_list(document: Document) -> Iterator[Entry | LeftOut]:
    """Lines as `rpm -qa` prints them: name-version-release.arch."""
    ecosystem = ecosystem_of(document, "redhat", "Red Hat")
    for number, line in enumerate(document.lines(), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        match = _RPM.match(line.strip()[:1_000])
        if match:
            yield Entry(Component(ecosystem, match["name"], match["version"]), number)
        else:
            yield LeftOut(line.strip()[:100], "not name-version-release", number)


def ecosystem_of(document: Document, vendor: str, otherwise: str) -> str:
    """The ecosystem that the first line, or the root file system's ``os-release``, tells."""
    first = document.content[:200].decode("utf-8", "replace")
    if found := _DISTRO.match(first):
        return distribution(found[1], found[2], otherwise)
    release = release_fields(document)
    if "ID" in release:
        known = distribution(release["ID"], release.get("VERSION_ID", ""), "")
        return known if known.strip(":0123456789") else otherwise
    return distribution(vendor, "", otherwise)


def release_fields(document: Document) -> dict[str, str]:
    """The fields of ``os-release`` of the root file system that the database belongs to."""
    for path in OS_RELEASE:
        content = document.sibling("/" + path)
        if content:
            lines = content[:MAX_RELEASE_BYTES].decode("utf-8", "replace").splitlines()
            pairs = (line.partition("=") for line in lines if "=" in line and not line.startswith("#"))
            return {key.strip(): value.strip().strip("\"'") for key, _, value in pairs}
    return {}
