"""Which groups a CVE belongs to: weakness class, vendor, ecosystem, technology."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from glasshouse.forecast.facts import Knowledge
from glasshouse.forecast.trends.model import Dimension

# technology -> words of which one must stand in the description or the product names
TECHNOLOGIES: dict[str, frozenset[str]] = {
    "VPN and remote access": frozenset("vpn globalprotect anyconnect fortios sslvpn pulse netscaler sonicwall".split()),
    "firewall": frozenset("firewall firewalls fortigate panos pfsense".split()),
    "browser": frozenset("chrome chromium firefox safari webkit browser edge".split()),
    "mobile": frozenset("android ios ipados iphone".split()),
    "operating system kernel": frozenset("kernel ntoskrnl win32k".split()),
    "virtualisation": frozenset("vmware vcenter esxi hypervisor xen kvm".split()),
    "mail server": frozenset("exchange zimbra roundcube sendmail postfix exim".split()),
    "file transfer": frozenset("moveit goanywhere sftp cleo crushftp".split()),
    "router and camera": frozenset("router routers modem dvr nvr camera".split()),
    "content management": frozenset("wordpress drupal joomla cms plugin".split()),
    "identity": frozenset("ldap saml oauth kerberos sso".split()),
    "container and cloud": frozenset("kubernetes docker container containerd aws azure".split()),
    "industrial control": frozenset("plc scada hmi modbus".split()),
    "machine learning": frozenset("tensorflow pytorch llm langchain ollama jupyter mlflow".split()),
}
ECOSYSTEM_WORDS = {
    "npm": frozenset("npm nodejs".split()),
    "PyPI": frozenset("pypi python django".split()),
    "Maven": frozenset("maven spring struts log4j".split()),
    "Packagist": frozenset("composer laravel symfony".split()),
    "WordPress plugins": frozenset("wordpress".split()),
}


def groups(known: Knowledge, tokens: Sequence[str]) -> Iterator[tuple[Dimension, str]]:
    """Every group, each once."""
    yield "all", "all"
    for cwe in dict.fromkeys(known.cwes):
        yield "weakness", f"CWE-{cwe}"
    vendor = known.listed.vendor if known.listed is not None else ""
    vendors = [vendor] if vendor else [name for name, _ in known.products if name]
    for name in dict.fromkeys(each.strip().lower() for each in vendors):
        if name and name not in ("n/a", "unknown"):
            yield "vendor", name
    present = set(tokens)
    for title, wanted in TECHNOLOGIES.items():
        if present & wanted:
            yield "technology", title
    for title, wanted in ECOSYSTEM_WORDS.items():
        if present & wanted:
            yield "ecosystem", title
