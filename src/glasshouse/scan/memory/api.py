"""What functions of the C library, POSIX, Linux and common libraries do with memory, resources and outside data.

Every table is keyed by the function's name.  Argument numbers start at 0.
"""

from __future__ import annotations

from typing import NamedTuple


class Alloc(NamedTuple):
    """Returns memory: ``size`` times ``number``; ``family`` says how to give it back."""

    family: str
    size: int = -1
    number: int = -1
    fails: bool = True
    zeroed: bool = False
    extra: int = 0


class Copy(NamedTuple):
    """Moves bytes: ``length`` bytes from ``src`` to ``dst`` (-1: none); ``text``: up to and with the NUL of ``src``."""

    dst: int
    src: int
    length: int = -1
    text: bool = False
    append: bool = False
    scale: int = 1


class Fill(NamedTuple):
    """Fills ``dst`` with data from outside, at most ``length`` bytes (-1: as much as there is)."""

    dst: int
    length: int = -1
    kind: str = "outside data"
    text: bool = False


def _split(names: str) -> list[str]:
    return names.split()


ALLOCATORS: dict[str, Alloc] = {
    "malloc": Alloc("malloc", 0),
    "calloc": Alloc("malloc", 1, 0, zeroed=True),
    "realloc": Alloc("malloc", 1),
    "reallocarray": Alloc("malloc", 2, 1),
    "valloc": Alloc("malloc", 0),
    "aligned_alloc": Alloc("malloc", 1),
    "strdup": Alloc("malloc"),
    "strndup": Alloc("malloc"),
    "wcsdup": Alloc("malloc"),
    "_strdup": Alloc("malloc"),
    "g_malloc": Alloc("g_free", 0, fails=False),
    "g_malloc0": Alloc("g_free", 0, fails=False, zeroed=True),
    "g_try_malloc": Alloc("g_free", 0),
    "g_strdup": Alloc("g_free", fails=False),
    "xmalloc": Alloc("malloc", 0, fails=False),
    "xcalloc": Alloc("malloc", 1, 0, fails=False, zeroed=True),
    "xstrdup": Alloc("malloc", fails=False),
    "av_malloc": Alloc("av_free", 0),
    "av_mallocz": Alloc("av_free", 0, zeroed=True),
    "av_malloc_array": Alloc("av_free", 1, 0),
    "emalloc": Alloc("efree", 0, fails=False),
    "OPENSSL_malloc": Alloc("OPENSSL_free", 0),
    "OPENSSL_zalloc": Alloc("OPENSSL_free", 0, zeroed=True),
    "kmalloc": Alloc("kfree", 0),
    "kzalloc": Alloc("kfree", 0, zeroed=True),
    "kmalloc_node": Alloc("kfree", 0),
    "kzalloc_node": Alloc("kfree", 0, zeroed=True),
    "kcalloc": Alloc("kfree", 1, 0, zeroed=True),
    "kmalloc_array": Alloc("kfree", 1, 0),
    "krealloc": Alloc("kfree", 1),
    "kmemdup": Alloc("kfree", 1),
    "kstrdup": Alloc("kfree"),
    "kstrndup": Alloc("kfree"),
    "kasprintf": Alloc("kfree"),
    "memdup_user": Alloc("kfree", 1, fails=False),
    "vmalloc": Alloc("vfree", 0),
    "vzalloc": Alloc("vfree", 0, zeroed=True),
    "kvmalloc": Alloc("kvfree", 0),
    "kvzalloc": Alloc("kvfree", 0, zeroed=True),
    "kvcalloc": Alloc("kvfree", 1, 0, zeroed=True),
    "kvmalloc_array": Alloc("kvfree", 1, 0),
    "kmem_cache_alloc": Alloc("kmem_cache_free"),
    "kmem_cache_zalloc": Alloc("kmem_cache_free", zeroed=True),
    "alloc_skb": Alloc("kfree_skb"),
    "dev_alloc_skb": Alloc("kfree_skb"),
    "netdev_alloc_skb": Alloc("kfree_skb"),
    "skb_clone": Alloc("kfree_skb"),
    "nlmsg_new": Alloc("kfree_skb"),
    "genlmsg_new": Alloc("kfree_skb"),
    "ExAllocatePoolWithTag": Alloc("ExFreePool", 1),
    "HeapAlloc": Alloc("HeapFree", 2),
    "LocalAlloc": Alloc("LocalFree", 1),
    "GlobalAlloc": Alloc("GlobalFree", 1),
    "PyMem_Malloc": Alloc("PyMem_Free", 0),
    "alloca": Alloc("stack", 0, fails=False),
    "ALLOCA": Alloc("stack", 0, fails=False),
    "_alloca": Alloc("stack", 0, fails=False),
    "__builtin_alloca": Alloc("stack", 0, fails=False),
}

RESOURCES: dict[str, tuple[str, bool]] = {
    "fopen": ("fclose", True),
    "fdopen": ("fclose", True),
    "tmpfile": ("fclose", True),
    "freopen": ("fclose", True),
    "_wfopen": ("fclose", True),
    "popen": ("pclose", True),
    "opendir": ("closedir", True),
    "open": ("close", False),
    "creat": ("close", False),
    "socket": ("close", False),
    "accept": ("close", False),
    "dup": ("close", False),
    "OPEN": ("close", False),
    "CreateFile": ("CloseHandle", False),
    "CreateFileA": ("CloseHandle", False),
    "CreateFileW": ("CloseHandle", False),
    "getaddrinfo": ("", False),
    "filp_open": ("filp_close", False),
    "curl_easy_init": ("curl_easy_cleanup", True),
    "curl_multi_init": ("curl_multi_cleanup", True),
}
"""Opens something: (how to close it, whether failure is a null pointer; else it is a negative number)."""

DEALLOCATORS: dict[str, tuple[int, str]] = {
    "free": (0, "malloc"),
    "cfree": (0, "malloc"),
    "xfree": (0, "malloc"),
    "g_free": (0, "g_free"),
    "av_free": (0, "av_free"),
    "efree": (0, "efree"),
    "OPENSSL_free": (0, "OPENSSL_free"),
    "kfree": (0, "kfree"),
    "kfree_sensitive": (0, "kfree"),
    "kzfree": (0, "kfree"),
    "vfree": (0, "vfree"),
    "kvfree": (0, "kvfree"),
    "kfree_skb": (0, "kfree_skb"),
    "kfree_skb_reason": (0, "kfree_skb"),
    "consume_skb": (0, "kfree_skb"),
    "dev_kfree_skb": (0, "kfree_skb"),
    "nlmsg_free": (0, "kfree_skb"),
    "kmem_cache_free": (1, "kmem_cache_free"),
    "ExFreePool": (0, "ExFreePool"),
    "HeapFree": (2, "HeapFree"),
    "LocalFree": (0, "LocalFree"),
    "GlobalFree": (0, "GlobalFree"),
    "PyMem_Free": (0, "PyMem_Free"),
    "operator delete": (0, "new"),
    "operator delete[]": (0, "new[]"),
    "fclose": (0, "fclose"),
    "pclose": (0, "pclose"),
    "closedir": (0, "closedir"),
    "close": (0, "close"),
    "CLOSE": (0, "close"),
    "_close": (0, "close"),
    "closesocket": (0, "close"),
    "CLOSE_SOCKET": (0, "close"),
    "CloseHandle": (0, "CloseHandle"),
    "filp_close": (0, "filp_close"),
    "curl_easy_cleanup": (0, "curl_easy_cleanup"),
    "curl_multi_cleanup": (0, "curl_multi_cleanup"),
}
COMPATIBLE = {("kfree", "kvfree"), ("vfree", "kvfree"), ("malloc", "g_free"), ("g_free", "malloc")}

COPIES: dict[str, Copy] = {
    **dict.fromkeys(_split("memcpy memmove __builtin_memcpy CopyMemory RtlCopyMemory mempcpy"), Copy(0, 1, 2)),
    "bcopy": Copy(1, 0, 2),
    "memset": Copy(0, -1, 2),
    "bzero": Copy(0, -1, 1),
    "memzero": Copy(0, -1, 1),
    "wmemset": Copy(0, -1, 2, scale=4),
    "wmemcpy": Copy(0, 1, 2, scale=4),
    "wmemmove": Copy(0, 1, 2, scale=4),
    "strcpy": Copy(0, 1, text=True),
    "stpcpy": Copy(0, 1, text=True),
    "lstrcpy": Copy(0, 1, text=True),
    "wcscpy": Copy(0, 1, text=True, scale=4),
    "strcat": Copy(0, 1, text=True, append=True),
    "lstrcat": Copy(0, 1, text=True, append=True),
    "wcscat": Copy(0, 1, text=True, append=True, scale=4),
    "strncpy": Copy(0, 1, 2),
    "wcsncpy": Copy(0, 1, 2, scale=4),
    "strncat": Copy(0, 1, 2, append=True),
    "wcsncat": Copy(0, 1, 2, append=True, scale=4),
    "strlcpy": Copy(0, -1, 2),
    "strlcat": Copy(0, -1, 2),
    "strscpy": Copy(0, -1, 2),
    "copy_to_user": Copy(-1, 1, 2),
    "__copy_to_user": Copy(-1, 1, 2),
    "skb_copy_bits": Copy(2, -1, 3),
}

FILLS: dict[str, Fill] = {
    "read": Fill(1, 2, "file or socket data"),
    "_read": Fill(1, 2, "file or socket data"),
    "pread": Fill(1, 2, "file data"),
    "recv": Fill(1, 2, "network data"),
    "recvfrom": Fill(1, 2, "network data"),
    "fgets": Fill(0, 1, "input line", True),
    "fgetws": Fill(0, 1, "input line", True),
    "gets": Fill(0, -1, "input line", True),
    "fread": Fill(0, -2, "file data"),
    "getline": Fill(0, -1, "input line", True),
    "copy_from_user": Fill(0, 2, "user-space data"),
    "__copy_from_user": Fill(0, 2, "user-space data"),
    "_copy_from_user": Fill(0, 2, "user-space data"),
    "strncpy_from_user": Fill(0, 2, "user-space text", True),
    "get_user": Fill(0, -1, "user-space data"),
    "__get_user": Fill(0, -1, "user-space data"),
    "copy_from_sockptr": Fill(0, 2, "user-space data"),
    "skb_copy_datagram_iter": Fill(0, -1, "network data"),
    "kernel_read": Fill(1, 2, "file data"),
    "SSL_read": Fill(1, 2, "network data"),
    "readlink": Fill(1, 2, "file-system data"),
    "RegQueryValueExA": Fill(4, -1, "registry data"),
}

SOURCES: dict[str, str] = {
    "getenv": "an environment variable",
    "secure_getenv": "an environment variable",
    "GETENV": "an environment variable",
    "_wgetenv": "an environment variable",
    "fgetc": "file data",
    "getc": "file data",
    "getchar": "standard input",
    "getwchar": "standard input",
    "nla_get_u8": "a netlink attribute",
    "nla_get_u16": "a netlink attribute",
    "nla_get_u32": "a netlink attribute",
    "nla_get_u64": "a netlink attribute",
    "nla_get_s32": "a netlink attribute",
    "nla_data": "a netlink attribute",
    "simple_strtoul": "",
    "rand": "a random number",
    "random": "a random number",
    "lrand48": "a random number",
    "RAND32": "a random number",
    "RAND64": "a random number",
}

CONVERSIONS: dict[str, int] = {
    **dict.fromkeys(_split("atoi atol atoll _wtoi wtoi"), 0),
    **dict.fromkeys(_split("strtol strtoul strtoll strtoull wcstol wcstoul simple_strtoul simple_strtol strtoimax"), 0),
    **dict.fromkeys(_split("ntohl ntohs htonl htons be16_to_cpu be32_to_cpu le16_to_cpu le32_to_cpu be64_to_cpu"), 0),
    **dict.fromkeys(_split("le64_to_cpu le16_to_cpup get_unaligned_le16 get_unaligned_be16 get_unaligned_le32"), 0),
    **dict.fromkeys(_split("get_unaligned_be32 abs labs toupper tolower"), 0),
}

TRANSLATIONS: dict[str, int] = {
    **dict.fromkeys(_split("_ N_ Q_ gettext gettext_noop ngettext"), 0),
    **dict.fromkeys(_split("dgettext dcgettext dngettext g_dgettext"), 1),
}
"""Functions and the usual macros of gettext: which argument is the text to translate."""

SCANNERS: dict[str, int] = {
    **dict.fromkeys(_split("scanf wscanf"), 0),
    **dict.fromkeys(_split("fscanf sscanf fwscanf swscanf"), 1),
}
PRINTERS: dict[str, tuple[int, int, int]] = {
    **dict.fromkeys(_split("printf wprintf printk pr_err vprintf vwprintf warnx vprintk"), (0, -1, -1)),
    **dict.fromkeys(_split("fprintf fwprintf dprintf vfprintf vfwprintf syslog vsyslog vdprintf warn"), (1, -1, -1)),
    **dict.fromkeys(_split("err errx"), (1, -1, -1)),
    **dict.fromkeys(_split("sprintf vsprintf wsprintf"), (1, 0, -1)),
    **dict.fromkeys(
        _split("snprintf vsnprintf swprintf vswprintf _snprintf _vsnprintf _snwprintf scnprintf"), (2, 0, 1)
    ),
    "asprintf": (1, -1, -1),
    "vasprintf": (1, -1, -1),
    "g_strdup_printf": (0, -1, -1),
    "kasprintf": (1, -1, -1),
    "seq_printf": (1, -1, -1),
    "dev_err": (1, -1, -1),
    "setproctitle": (0, -1, -1),
}
"""Formatted output: argument of the format, of the destination and of its size."""

WIDE = frozenset(_split("swprintf vswprintf _snwprintf wsprintf wcslen"))
COMMANDS: dict[str, tuple[int, ...]] = {
    "system": (0,),
    "_wsystem": (0,),
    "popen": (0,),
    "_popen": (0,),
    "_wpopen": (0,),
    "wordexp": (0,),
    "ShellExecuteA": (2, 3),
    "WinExec": (0,),
    "call_usermodehelper": (0,),
    **dict.fromkeys(_split("execl execlp execle _execl _execlp _wexecl _wexeclp EXECL EXECLP"), (0, 1, 2, 3, 4, 5)),
    **dict.fromkeys(_split("execv execvp execve execvpe _execv _execvp _wexecv _wexecvp"), (0, 1)),
    **dict.fromkeys(_split("_spawnl _spawnlp _spawnv _spawnvp _wspawnl _wspawnlp _wspawnv _wspawnvp"), (1, 2, 3, 4, 5)),
}
STARTERS = frozenset(name for name in COMMANDS if name.lstrip("_w").lower().startswith(("exec", "spawn")))
"""Those that start the program they are given, without a shell."""
PATHS: dict[str, tuple[int, ...]] = {
    **dict.fromkeys(_split("fopen open creat opendir unlink remove rmdir mkdir chmod chown stat lstat truncate"), (0,)),
    **dict.fromkeys(_split("freopen access readlink chdir chroot mknod open64 fopen64 filp_open ifstream_open"), (0,)),
    **dict.fromkeys(_split("rename link symlink"), (0, 1)),
    **dict.fromkeys(_split("openat unlinkat mkdirat"), (1,)),
}
LIBRARIES: dict[str, int] = dict.fromkeys(_split("dlopen LoadLibrary LoadLibraryA LoadLibraryW LoadLibraryExA"), 0)
SQL: dict[str, int] = {
    "mysql_query": 1,
    "mysql_real_query": 1,
    "sqlite3_exec": 1,
    "sqlite3_prepare": 1,
    "sqlite3_prepare_v2": 1,
    "PQexec": 1,
    "SQLExecDirect": 1,
    "SQLPrepare": 1,
}

NO_RETURN = frozenset(
    _split(
        "exit _exit _Exit abort quick_exit longjmp siglongjmp __assert_fail err errx verr verrx panic BUG g_error "
        "pthread_exit ExitProcess terminate __builtin_unreachable __builtin_trap do_exit die fatal usage unreachable"
    )
)
ASSERTS = frozenset(
    _split("assert g_assert BUG_ON BUILD_BUG_ON ASSERT SkASSERT g_return_if_fail g_return_val_if_fail Q_ASSERT _ASSERT")
)
BORROWS = frozenset(
    _split(
        "strlen strcmp strncmp strcasecmp strncasecmp strcpy strncpy strcat strncat strchr strrchr strstr "
        "strtok strtol strtoul atoi "
        "atol memcpy memmove memset memcmp memchr printf fprintf sprintf snprintf puts fputs fputc putc "
        "fwrite fread fgets fgetc getc "
        "feof ferror fflush fseek ftell rewind fileno fscanf sscanf scanf vprintf vfprintf read write recv "
        "send sendto recvfrom bind "
        "listen connect setsockopt getsockopt ioctl fstat lseek fsync isatty wcslen wcscpy wcscat wcsncpy "
        "wprintf printk pr_err "
        "copy_to_user copy_from_user system access open fopen stat unlink mkdir perror qsort bsearch realpath "
        "readdir htons wcsncat "
        "memzero_explicit explicit_bzero snwprintf swprintf strspn strcspn strpbrk strerror time localtime "
        "select poll shutdown "
        "dup2 fdopen ungetc setvbuf setbuf fcntl flock dev_err dev_dbg dev_warn dev_info netdev_err "
        "seq_printf accept kstrtoint "
        "kstrtouint sscanf strnlen swab lock unlock bzero bcopy bcmp crc32"
    )
)
BORROWING = (
    "print",
    "Print",
    "log",
    "Log",
    "debug",
    "cmp",
    "is_",
    "has_",
    "get_",
    "dump",
    "warn",
    "trace",
    "hash",
    "len",
    "count",
    "check",
    "curl_easy_setopt",
    "curl_easy_perform",
)
"""Functions whose names begin so look at what they are given and keep nothing of it."""

LOCKS: dict[str, str] = {
    "mutex_lock": "mutex_unlock",
    "spin_lock": "spin_unlock",
    "spin_lock_bh": "spin_unlock_bh",
    "spin_lock_irq": "spin_unlock_irq",
    "spin_lock_irqsave": "spin_unlock_irqrestore",
    "read_lock": "read_unlock",
    "write_lock": "write_unlock",
    "read_lock_bh": "read_unlock_bh",
    "write_lock_bh": "write_unlock_bh",
    "raw_spin_lock": "raw_spin_unlock",
    "down": "up",
    "down_read": "up_read",
    "down_write": "up_write",
    "rcu_read_lock": "rcu_read_unlock",
    "rtnl_lock": "rtnl_unlock",
    "pthread_mutex_lock": "pthread_mutex_unlock",
    "pthread_spin_lock": "pthread_spin_unlock",
    "pthread_rwlock_rdlock": "pthread_rwlock_unlock",
    "pthread_rwlock_wrlock": "pthread_rwlock_unlock",
    "EnterCriticalSection": "LeaveCriticalSection",
    "lock_sock": "release_sock",
    "preempt_disable": "preempt_enable",
    "local_bh_disable": "local_bh_enable",
    "mtx_lock": "mtx_unlock",
    "sem_wait": "sem_post",
    "flockfile": "funlockfile",
}
TRY_LOCKS: dict[str, tuple[str, str]] = {
    "mutex_trylock": ("mutex_unlock", "true"),
    "spin_trylock": ("spin_unlock", "true"),
    "mutex_lock_interruptible": ("mutex_unlock", "zero"),
    "mutex_lock_killable": ("mutex_unlock", "zero"),
    "down_interruptible": ("up", "zero"),
    "down_trylock": ("up", "zero"),
    "pthread_mutex_trylock": ("pthread_mutex_unlock", "zero"),
    "down_read_trylock": ("up_read", "true"),
}
UNLOCKS = {unlock: unlock for unlock in LOCKS.values()}
