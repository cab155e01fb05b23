"""A component of an inventory, with its name as its ecosystem compares names."""

from __future__ import annotations

import re

import msgspec

MAX_COMPONENTS = 200_000
_PYPI = re.compile(r"[-_.]+")

# package URL type -> ecosystem as OSV spells it
ECOSYSTEMS = {
    "pypi": "PyPI",
    "npm": "npm",
    "maven": "Maven",
    "golang": "Go",
    "cargo": "crates.io",
    "gem": "RubyGems",
    "composer": "Packagist",
    "nuget": "NuGet",
    "deb": "Debian",
    "apk": "Alpine",
    "rpm": "Red Hat",
    "hex": "Hex",
    "pub": "Pub",
}


class Component(msgspec.Struct, frozen=True, order=True):
    """Software in one version.  ``ecosystem`` is OSV's name; empty when the inventory does not tell.

    ``version`` is empty when unknown.  ``supplier`` is who provides it, as the inventory says.
    """

    ecosystem: str
    name: str
    version: str
    supplier: str = ""

    @property
    def key(self) -> tuple[str, str]:
        """Ecosystem and normalised name, as advisories are indexed."""
        return self.ecosystem, normal_name(self.ecosystem, self.name)

    def __str__(self) -> str:
        return f"{self.name} {self.version}".strip()


class LeftOut(msgspec.Struct, frozen=True):
    """An entry or file that could not be used, and why."""

    where: str
    why: str


class Inventory(msgspec.Struct, frozen=True):
    """What one file lists: components, each once, and what was left out."""

    name: str
    format: str
    components: tuple[Component, ...]
    left_out: tuple[LeftOut, ...] = ()


def normal_name(ecosystem: str, name: str) -> str:
    """The name as the ecosystem compares it; for ``Debian:12`` the rules of ``Debian`` hold."""
    family = ecosystem.partition(":")[0]
    if family == "PyPI":
        return _PYPI.sub("-", name).lower()
    if family in ("npm", "Packagist", "NuGet", "Hex", "Pub", "GitHub Actions"):
        return name.lower()
    return name


def from_purl(text: str, supplier: str = "") -> Component:
    """The component that a package URL names; ``ValueError`` when it is none."""
    from packageurl import PackageURL

    parsed = PackageURL.from_string(text)
    ecosystem = ECOSYSTEMS.get(parsed.type, "")
    separator = ":" if parsed.type == "maven" else "/"
    qualifiers: dict[str, str] = dict(parsed.qualifiers)
    if parsed.type in ("deb", "rpm", "apk"):
        ecosystem, name = distribution(parsed.namespace or "", qualifiers.get("distro", ""), ecosystem), parsed.name
    else:
        name = f"{parsed.namespace}{separator}{parsed.name}" if parsed.namespace else parsed.name
    return Component(ecosystem or f"purl:{parsed.type}", name, parsed.version or "", supplier)


def distribution(vendor: str, release: str, otherwise: str) -> str:
    """OSV's name of a distribution's release, as far as it is told: ``Debian:12``, ``Ubuntu:22.04``.

    ``Alpine:v3.19``.
    """
    family = {"debian": "Debian", "ubuntu": "Ubuntu", "alpine": "Alpine", "redhat": "Red Hat", "rocky": "Rocky Linux"}
    name = family.get(vendor.lower(), "AlmaLinux" if vendor.lower() == "almalinux" else otherwise)
    number = re.search(r"\d+(?:\.\d+)*", release)
    if number is None:
        return name
    parts = number[0].split(".")
    if name == "Alpine":
        return f"Alpine:v{'.'.join(parts[:2])}"
    if name == "Ubuntu":
        return f"Ubuntu:{'.'.join(parts[:2])}"
    return f"{name}:{parts[0]}"
