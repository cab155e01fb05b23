"""Modes of files: set-uid programs, what everybody may write, and what runs as root from where others may write."""

from __future__ import annotations

import stat
from collections.abc import Iterator

from glasshouse.inventory.trees.model import Node
from glasshouse.scan.system.model import Hit, System

# Programs that distributions install with set-uid or set-gid on purpose.
KNOWN = frozenset(
    "arping at bsd-write bwrap chage chfn chrome-sandbox chsh cockpit-session crontab dbus-daemon-launch-helper doas "
    "dotlockfile exim4 expiry fusermount fusermount3 gpasswd grub2-set-bootflag locate lock mail-lock mail-touchlock "
    "mail-unlock mlocate mount mount.cifs mount.ecryptfs_private mount.nfs mtr-packet newgidmap newgrp newuidmap "
    "ntfs-3g pam_extrausers_chkpwd pam_timestamp_check passwd ping ping6 pkexec plocate polkit-agent-helper-1 "
    "postdrop postqueue pppd screen sendmail sg smtpctl snap-confine ssh-agent ssh-keysign staprun su sudo sudoedit "
    "sudoreplay traceroute6.iputils umount unix_chkpwd unix2_chkpwd usernetctl userhelper utempter vlock wall write "
    "write.ul Xorg.wrap bbsuid sendmail.postfix sendmail.sendmail ksu suexec".split()
)
SYSTEM_FOLDERS = ("bin/", "sbin/", "lib/", "lib64/", "usr/bin/", "usr/sbin/", "usr/lib/", "usr/lib64/", "usr/libexec/")
# What root runs, or takes settings from that say what to run.
RUN_BY_ROOT = (
    *("bin", "sbin", "usr/bin", "usr/sbin", "usr/local/bin", "usr/local/sbin", "lib", "usr/lib", "lib64", "usr/lib64"),
    *("etc/cron.d", "etc/cron.hourly", "etc/cron.daily", "etc/cron.weekly", "etc/cron.monthly", "var/spool/cron"),
    *("etc/init.d", "etc/systemd/system", "usr/lib/systemd/system", "lib/systemd/system", "etc/profile.d"),
    *("etc/sudoers.d", "etc/pam.d", "etc/ld.so.conf.d", "etc/udev/rules.d", "var/spool/cron/crontabs"),
)
RUN_FILES = frozenset({"etc/crontab", "etc/sudoers", "etc/profile", "etc/ld.so.preload", "etc/rc.local", "etc/passwd"})


def modes(system: System) -> Iterator[Hit]:
    """Every check that needs modes only."""
    for node in system.nodes:
        if node.is_link:
            continue
        if node.is_file and node.mode & (stat.S_ISUID | stat.S_ISGID):
            yield from _set_id(node)
        if node.mode & stat.S_IWOTH or (node.mode & stat.S_IWGRP and node.group != 0):
            yield from _writable(node)


def _set_id(node: Node) -> Iterator[Hit]:
    kinds = " and ".join(
        word for bit, word in ((stat.S_ISUID, "set-uid"), (stat.S_ISGID, "set-gid")) if node.mode & bit
    )
    shown = f"{stat.filemode(node.mode)} {node.path}"
    if node.mode & (stat.S_IWOTH | stat.S_IWGRP):
        yield Hit("system-setuid-writable", node.path, kinds, shown=shown)
    name = node.path.rpartition("/")[2]
    if name not in KNOWN or not node.path.startswith(SYSTEM_FOLDERS):
        yield Hit("system-setuid-unknown", node.path, kinds, shown=shown)


def _writable(node: Node) -> Iterator[Hit]:
    by_all = bool(node.mode & stat.S_IWOTH)
    who = "everybody" if by_all else f"group {node.group}"
    shown = f"{stat.filemode(node.mode)} {node.path}"
    folder = node.path.rpartition("/")[0]
    sticky = node.is_folder and node.mode & stat.S_ISVTX
    if not (node.is_file or node.is_folder) or sticky:
        return
    if node.path in RUN_FILES or node.path in RUN_BY_ROOT or (folder in RUN_BY_ROOT and node.is_file):
        yield Hit("system-run-by-root-writable", node.path, who, shown=shown)
    elif by_all and node.is_folder:
        yield Hit("system-folder-writable", node.path, who, shown=shown)
    elif by_all and node.is_file and not node.mode & (stat.S_ISUID | stat.S_ISGID):
        yield Hit("system-file-writable", node.path, who, shown=shown)
