"""Package databases and lists of Linux distributions.

A dpkg database does not say of which release it is; ``# distro: debian 12`` as the first line of a list tells.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from glasshouse.inventory.component import Component, LeftOut, distribution

_DISTRO = re.compile(r"#\s*distro:\s*(\S+)\s*(\S*)")
_RPM = re.compile(
    r"^(?P<name>.+)-(?P<version>[^-]+-[^-]+?)(?:\.(?:x86_64|noarch|aarch64|i[3-6]86|ppc64le|s390x|src))?$"
)


def dpkg(content: bytes) -> Iterator[Component | LeftOut]:
    """/var/lib/dpkg/status; advisories name the source package."""
    text = content.decode("utf-8", "replace")
    ecosystem = _ecosystem(text, "debian", "Debian")
    for block in re.split(r"\n\s*\n", text):
        fields = dict(line.split(":", 1) for line in block.splitlines() if ":" in line and not line[0].isspace())
        name, version = fields.get("Package", "").strip(), fields.get("Version", "").strip()
        if not name or "installed" not in fields.get("Status", "installed").split():
            continue
        source = fields.get("Source", "").strip()
        match = re.match(r"(\S+)(?: \(([^)]+)\))?", source)
        if match:
            name, version = match[1], match[2] or version
        yield Component(ecosystem, name, version) if version else LeftOut(name, "no version")


def dpkg_list(content: bytes) -> Iterator[Component | LeftOut]:
    """Lines of name and version, as `dpkg-query -W` prints them."""
    text = content.decode("utf-8", "replace")
    ecosystem = _ecosystem(text, "debian", "Debian")
    for line in text.splitlines():
        parts = line.split()
        if not parts or line.startswith("#"):
            continue
        if len(parts) < 2:
            yield LeftOut(parts[0][:100], "no version")
        else:
            yield Component(ecosystem, parts[0].partition(":")[0], parts[1])


def apk(content: bytes) -> Iterator[Component | LeftOut]:
    """/lib/apk/db/installed; advisories name the origin."""
    text = content.decode("utf-8", "replace")
    ecosystem = _ecosystem(text, "alpine", "Alpine")
    for block in re.split(r"\n\s*\n", text):
        fields = {line[0]: line[2:].strip() for line in block.splitlines() if len(line) > 2 and line[1] == ":"}
        name, version = fields.get("o") or fields.get("P", ""), fields.get("V", "")
        if name:
            yield Component(ecosystem, name, version) if version else LeftOut(name, "no version")


def rpm_list(content: bytes) -> Iterator[Component | LeftOut]:
    """Lines as `rpm -qa` prints them: name-version-release.arch."""
    text = content.decode("utf-8", "replace")
    ecosystem = _ecosystem(text, "redhat", "Red Hat")
    for line in text.splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        match = _RPM.match(line.strip())
        if match:
            yield Component(ecosystem, match["name"], match["version"])
        else:
            yield LeftOut(line.strip()[:100], "not name-version-release")


def _ecosystem(text: str, vendor: str, otherwise: str) -> str:
    found = _DISTRO.match(text)
    return distribution(found[1], found[2], otherwise) if found else distribution(vendor, "", otherwise)
