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


# vendor or ID of os-release -> family as OSV spells it
_FAMILIES = {
    "debian": "Debian",
    "ubuntu": "Ubuntu",
    "alpine": "Alpine",
    "redhat": "Red Hat",
    "rhel": "Red Hat",
    "rocky": "Rocky Linux",
    "almalinux": "AlmaLinux",
    "opensuse": "openSUSE",
    "opensuse-leap": "openSUSE",
    "opensuse-tumbleweed": "openSUSE",
    "sles": "SUSE",
    "wolfi": "Wolfi",
    "chainguard": "Chainguard",
}
_TYPES = {ecosystem: kind for kind, ecosystem in ECOSYSTEMS.items()} | {
    "Ubuntu": "deb",
    "Rocky Linux": "rpm",
    "AlmaLinux": "rpm",
    "SUSE": "rpm",
    "openSUSE": "rpm",
    "Wolfi": "apk",
    "Chainguard": "apk",
}
_NAMESPACES = {"Red Hat": "redhat", "Rocky Linux": "rocky"}
MAX_NAME = 300
MAX_VERSION = 200


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
    """An entry or file that could not be used, and why.  ``line`` is 0 where it is not told.

    ``code``: ``not-read``, ``not-pinned`` (a range, or no version at all) or ``no-lock-file``.
    """

    where: str
    why: str
    line: int = 0
    code: str = "not-read"


class Entry(msgspec.Struct, frozen=True):
    """A component where a file lists it.

    ``line`` is 0 and ``direct`` None where the file does not tell.  ``purl`` is the package URL as the file writes it,
    ``installed_as`` the package that was built from the component (``libssl3`` from ``openssl``).  ``pin`` holds the
    first column of the version and the one after it (from 1), where another version may be written in its place.
    """

    component: Component
    line: int = 0
    direct: bool | None = None
    purl: str = ""
    installed_as: str = ""
    pin: tuple[int, int] | None = None


class Inventory(msgspec.Struct, frozen=True):
    """What one file lists, in its order, and what was left out."""

    name: str
    format: str
    entries: tuple[Entry, ...]
    left_out: tuple[LeftOut, ...] = ()

    @property
    def components(self) -> tuple[Component, ...]:
        """The components, each once."""
        return tuple(dict.fromkeys(entry.component for entry in self.entries))


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
    version = parsed.version or ""
    if parsed.type in ("deb", "rpm", "apk"):
        ecosystem, name = distribution(parsed.namespace or "", qualifiers.get("distro", ""), ecosystem), parsed.name
        if parsed.type != "rpm" and (upstream := qualifiers.get("upstream", "")):  # advisories name the source package
            name, _, own = upstream.partition("@")
            version = own or version
    else:
        name = f"{parsed.namespace}{separator}{parsed.name}" if parsed.namespace else parsed.name
    return Component(ecosystem or f"purl:{parsed.type}", name[:MAX_NAME], version[:MAX_VERSION], supplier)


def to_purl(component: Component, installed_as: str = "") -> str:
    """The package URL of a component; ``pkg:generic/...`` where its ecosystem is not known."""
    from packageurl import PackageURL

    family, _, release = component.ecosystem.partition(":")
    kind = _TYPES.get(family, "generic")
    namespace, name, qualifiers = "", installed_as or component.name, {}
    if kind in ("deb", "rpm", "apk"):
        namespace = _NAMESPACES.get(family, family.lower())
        if release:
            qualifiers["distro"] = f"{namespace}-{release.removeprefix('v')}"
        if installed_as and installed_as != component.name:
            qualifiers["upstream"] = component.name
    elif kind == "maven":
        namespace, _, name = name.rpartition(":")
    elif kind in ("npm", "golang", "composer"):
        namespace, _, name = name.rpartition("/")
    version = f"v{component.version}" if kind == "golang" and component.version else component.version
    if not name.strip("/"):
        return ""
    return PackageURL(kind, namespace or None, name, version or None, qualifiers or None).to_string()


def distribution(vendor: str, release: str, otherwise: str) -> str:
    """OSV's name of a distribution's release, as far as it is told: ``Debian:12``, ``Ubuntu:22.04``.

    ``Alpine:v3.19``.
    """
    name = _FAMILIES.get(vendor.lower(), otherwise)
    if name in ("Wolfi", "Chainguard"):
        return name  # rolling: no releases
    number = re.search(r"\d+(?:\.\d+)*", release)
    if number is None:
        return name
    parts = number[0].split(".")
    if name == "Alpine":
        return f"Alpine:v{'.'.join(parts[:2])}"
    if name == "Ubuntu":
        return f"Ubuntu:{'.'.join(parts[:2])}"
    return f"{name}:{parts[0]}"
