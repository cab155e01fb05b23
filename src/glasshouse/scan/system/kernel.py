"""The kernel: settings at run time (sysctl) and how it was built (/boot/config-*)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from glasshouse.scan.system.model import Hit, System, setting_lines

MAX_KERNELS = 20
# key -> (values that are weak, rule); `*` in a key stands for an interface
SYSCTL: dict[str, tuple[frozenset[str], str]] = {
    **{
        key: (frozenset({"0", "1"}) if key.endswith("va_space") else frozenset({"0"}), "system-sysctl-memory")
        for key in ("kernel.randomize_va_space", "vm.mmap_min_addr")
    },
    **{
        key: (frozenset({"0"}), "system-sysctl-kernel-exposed")
        for key in (
            *("kernel.kptr_restrict", "kernel.dmesg_restrict", "kernel.unprivileged_bpf_disabled"),
            *("kernel.yama.ptrace_scope", "net.core.bpf_jit_harden"),
        )
    },
    "kernel.perf_event_paranoid": (frozenset({"-1", "0"}), "system-sysctl-kernel-exposed"),
    **{
        f"fs.protected_{kind}": (frozenset({"0"}), "system-sysctl-links")
        for kind in ("symlinks", "hardlinks", "fifos", "regular")
    },
    "fs.suid_dumpable": (frozenset({"1"}), "system-sysctl-core-dumps"),
    "net.ipv4.conf.*.rp_filter": (frozenset({"0"}), "system-sysctl-network"),
    "net.ipv4.tcp_syncookies": (frozenset({"0"}), "system-sysctl-network"),
    "net.ipv4.icmp_echo_ignore_broadcasts": (frozenset({"0"}), "system-sysctl-network"),
    **{
        f"net.{family}.conf.*.{name}": (frozenset({"1"}), "system-sysctl-network")
        for family in ("ipv4", "ipv6")
        for name in ("accept_redirects", "accept_source_route", "send_redirects", "secure_redirects")
        if family == "ipv4" or name.startswith("accept")
    },
}
_FOLDERS = ("usr/lib/sysctl.d", "lib/sysctl.d", "usr/local/lib/sysctl.d", "etc/sysctl.d")
_INTERFACE = re.compile(r"^(net\.ipv[46]\.conf\.)[^.]+\.")
PROTECTIONS = (
    *("STACKPROTECTOR_STRONG", "STRICT_KERNEL_RWX", "STRICT_MODULE_RWX", "STRICT_DEVMEM", "RANDOMIZE_BASE"),
    *("HARDENED_USERCOPY", "FORTIFY_SOURCE", "SLAB_FREELIST_RANDOM", "SLAB_FREELIST_HARDENED", "SECCOMP_FILTER"),
    *("BPF_UNPRIV_DEFAULT_OFF", "VMAP_STACK", "SCHED_STACK_END_CHECK", "SYN_COOKIES"),
)
DANGEROUS = (
    *("DEVKMEM", "ACPI_CUSTOM_METHOD", "COMPAT_BRK", "LEGACY_VSYSCALL_EMULATE", "SECURITY_SELINUX_DISABLE"),
    *("DEBUG_KMEMLEAK", "PAGE_OWNER", "X86_X32_ABI", "MODIFY_LDT_SYSCALL", "OABI_COMPAT"),
)


class _Value(NamedTuple):
    path: str
    line: int
    text: str
    value: str


def sysctl(system: System) -> Iterator[Hit]:
    """Settings that are weak after all files: by name of the file, /etc before /usr/lib, sysctl.conf last."""
    files: dict[str, str] = {}
    for folder in _FOLDERS:
        for node in system.inside(folder, "*.conf"):
            files[node.path.rpartition("/")[2]] = node.path
    found: dict[str, _Value] = {}
    for path in [*(files[name] for name in sorted(files)), "etc/sysctl.conf"]:
        for number, text in setting_lines(system.lines(path)):
            key, separator, value = text.lstrip("-").partition("=")
            if separator:
                found[key.strip().replace("/", ".")] = _Value(path, number, text, value.strip())
    for key, each in found.items():
        weak = SYSCTL.get(_INTERFACE.sub(r"\1*.", key))
        if weak is not None and each.value in weak[0]:
            yield Hit(weak[1], each.path, f"{key} = {each.value}", each.line, each.text, key)


def kernel_config(system: System) -> Iterator[Hit]:
    """Protections that a kernel was built without, and interfaces it was built with that it should not have."""
    for node in system.inside("boot", "config-*")[:MAX_KERNELS]:
        options = {}
        for number, line in enumerate(system.lines(node.path), start=1):
            key, separator, value = line.strip().partition("=")
            if separator and key.startswith("CONFIG_"):
                options[key.removeprefix("CONFIG_")] = (number, value)
        if not options:
            continue
        missing = [name for name in PROTECTIONS if options.get(name, (0, "n"))[1] != "y"]
        if missing:
            shown = f"not set: {', '.join(missing)}"
            yield Hit("system-kernel-unprotected", node.path, ", ".join(missing), 1, shown)
        for name in DANGEROUS:
            number, value = options.get(name, (0, "n"))
            if value in ("y", "m"):
                yield Hit(
                    "system-kernel-dangerous", node.path, f"CONFIG_{name}", number, f"CONFIG_{name}={value}", name
                )
