"""Weaknesses that the instructions of a function show without running it."""

from __future__ import annotations

import itertools
import re
from typing import TYPE_CHECKING, Any

from glasshouse.scan import ir
from glasshouse.scan.memory.program import DEFINES, walk

if TYPE_CHECKING:
    from glasshouse.scan.memory.engine import Engine
    from glasshouse.scan.memory.program import FunctionFacts

BANNED = {
    "gets": "dangerous-function",
    "_getws": "dangerous-function",
    "tmpnam": "temporary-name",
    "tempnam": "temporary-name",
    "mktemp": "temporary-name",
    "_mktemp": "temporary-name",
    "getwd": "dangerous-function",
    "strerror_": "dangerous-function",
    "gmtime": "",
}
WEAK_HASHES = frozenset(
    "MD5 MD4 MD2 SHA1 MD5_Init MD4_Init SHA1_Init SHA_Init EVP_md5 EVP_md4 EVP_md2 EVP_sha1 md5_init CC_MD5".split()
)
WEAK_CIPHERS = frozenset(
    "DES_ecb_encrypt DES_cbc_encrypt DES_ncbc_encrypt DES_set_key DES_encrypt1 RC4 RC4_set_key "
    "RC2_set_key EVP_des_ecb EVP_des_cbc EVP_rc4 "
    "EVP_rc2_cbc EVP_bf_ecb EVP_aes_128_ecb EVP_aes_256_ecb EVP_aes_192_ecb EVP_des_ede_ecb encrypt "
    "setkey des_setparity".split()
)
UNCHECKED_PEER = frozenset(["CURLOPT_SSL_VERIFYPEER", "CURLOPT_SSL_VERIFYHOST"])
COMPARISONS = frozenset(["<", "<=", ">", ">=", "==", "!="])
SEARCHES = frozenset(["strchr", "strrchr", "strstr", "strpbrk", "strcspn", "strspn"])
FIXED = re.compile(r"\[\s*\w+\s*\]$")
COUNTS = re.compile(r"(?i)(^|_)(len|length|size|n|count|sz)$|Len$|Length$|Size$")
MUST_CHECK = frozenset(
    "setuid setgid seteuid setegid setreuid setregid setresuid setresgid setgroups initgroups chroot chdir "
    "RAND_bytes RAND_priv_bytes EVP_DecryptFinal_ex EVP_DecryptFinal SSL_CTX_use_PrivateKey_file "
    "SSL_CTX_load_verify_locations gnutls_certificate_verify_peers2 getrandom pam_authenticate pam_acct_mgmt "
    "av_get_packet av_append_packet av_new_packet av_grow_packet av_packet_ref av_frame_ref av_frame_get_buffer "
    "av_image_alloc avio_read_partial init_get_bits init_get_bits8 avcodec_open2 ff_get_buffer ff_alloc_extradata "
    "copy_from_user __copy_from_user copy_from_sockptr get_user strict_strtoul kstrtoul kstrtoint kstrtouint".split()
)
"""Functions that can fail and then leave undone, or unwritten, what the caller goes on with."""
UNSAFE_IN_SIGNAL = frozenset(
    "printf fprintf sprintf malloc free calloc realloc exit syslog fopen fclose puts fputs localtime "
    "ctime strtok".split()
)


def find_patterns(engine: Engine, index: int) -> None:
    """Report what single calls and pairs of instructions show."""
    facts = engine.facts.functions[index]
    engine.frame.index = engine.root = index
    for ins in facts.every:
        op = ins[0]
        if op == ir.LOOP and not engine.facts.kernel:
            if ins[6]:
                _walked(engine, facts, ins)
            _counted(engine, facts, ins)
        if op == ir.CALL and ins[3].__class__ is str:
            name = ins[3].removeprefix("std::")
            if name in engine.facts.by_name:
                continue  # a function of the program that has the name of one of a library
            if name in SEARCHES and not engine.facts.kernel:
                _unended(engine, facts, ins)
            check = BANNED.get(name)
            if check:
                engine.report(check, ins[1], name, "", "high")
            elif name in WEAK_HASHES:
                engine.report("weak-hash", ins[1], name, "", "medium")
            elif name == "curl_easy_setopt" and len(ins[4]) > 2 and ins[4][1] in UNCHECKED_PEER:
                if _constant(facts, ins[4][2]) == 0:
                    engine.report("tls-unverified", ins[1], str(ins[4][1]), "", "high")
            elif name == "SSL_CTX_set_verify" or name == "SSL_set_verify":
                if len(ins[4]) > 1 and (ins[4][1] == "SSL_VERIFY_NONE" or _constant(facts, ins[4][1]) == 0):
                    engine.report("tls-unverified", ins[1], name, "", "high")
            elif name in ("srand", "srandom") and ins[4] and _clock(facts, ins[4][0]):
                engine.report("predictable-seed", ins[1], name, "", "medium")
            elif name in WEAK_CIPHERS:
                engine.report("weak-cipher", ins[1], name, "", "medium")
            elif name == "signal" or name == "sigaction":
                _signal(engine, ins)
            elif name in ("snprintf", "vsnprintf") and not engine.facts.kernel and len(ins[4]) > 1:
                _unclamped(engine, facts, ins)
            if name in MUST_CHECK and not _read(facts, ins[2]):
                engine.report("ignored-result", ins[1], name, "", "medium")
            if name in ("memset", "bzero"):
                _cleared(engine, facts, ins)


def _unclamped(engine: Engine, facts: FunctionFacts, ins: ir.Instr) -> None:
    """``n += snprintf(b + n, sizeof(b) - n, ...)``: it gives what it would have written: n may pass the end."""
    to, room = (facts.defs.get(operand) if operand.__class__ is int else None for operand in ins[4][:2])
    if to is None or room is None or to[0] != ir.BINOP or room[0] != ir.BINOP or (to[3], room[3]) != ("+", "-"):
        return
    place = room[5]
    if place.__class__ is not str or to[5] != place or any(_compares(item, {place}) for item in facts.every):
        return
    for item in facts.every:
        if item[0] == ir.BINOP and item[3] == "+" and ins[2] in item[4:6]:
            moved = [
                other for other in facts.every if other[0] == ir.MOVE and other[2] == place and other[3] == item[2]
            ]
            if moved and _again(engine, facts, ins, place):
                engine.report("unclamped-position", ins[1], str(place), str(ins[3]), "medium")
                return


def _again(engine: Engine, facts: FunctionFacts, ins: ir.Instr, place: str) -> bool:
    """Whether something is written at the place afterwards: in a loop, or by another call below."""
    if any(item[0] == ir.LOOP and any(inner is ins for inner in walk(item[5])) for item in facts.every):
        return True
    later = itertools.dropwhile(lambda item: item is not ins, facts.every)
    calls = [item for item in later if item is not ins and item[0] == ir.CALL and item[3] == ins[3] and item[4]]
    return any((made := facts.defs.get(item[4][0])) is not None and place in made[4:6] for item in calls)


def _constant(facts: FunctionFacts, operand: Any) -> object:
    """The constant that an operand is, if it is one."""
    return facts.function.consts[-1 - operand] if operand.__class__ is int and operand < 0 else None


def _clock(facts: FunctionFacts, operand: Any) -> bool:
    """``time(NULL)``, perhaps converted or mixed with something else."""
    pending = [operand]
    for _ in range(10):
        if not pending:
            break
        item = pending.pop()
        made = facts.defs.get(item) if item.__class__ is int else None
        if made is None:
            continue
        if made[0] == ir.CALL and made[3] in ("time", "std::time"):
            return True
        if made[0] in (ir.CAST, ir.BINOP):
            pending.extend(made[4:6])
    return False


def _read(facts: FunctionFacts, temporary: int) -> bool:
    """Whether the function does anything with the result of a call."""
    return any(temporary in _temporaries(ins) for ins in facts.every)


def _temporaries(ins: ir.Instr) -> list[int]:
    """Temporaries that an instruction reads (what it writes stands first, if anything does)."""
    start = 3 if ins[0] in DEFINES else 2
    found: list[int] = []
    for field in ins[start:]:
        if field.__class__ is int and field >= 0:
            found.append(field)
        elif field.__class__ is list:
            found.extend(item for item in field if item.__class__ is int and item >= 0)
            for item in field:
                if item.__class__ is list and item and item[0].__class__ is list:  # the operands of a case
                    found.extend(one for one in item[0] if one.__class__ is int)
    return found


def _counted(engine: Engine, facts: FunctionFacts, ins: ir.Instr) -> None:
    """``while (next(&x)) a[n++] = x``: an array of fixed size is filled by a counter that nothing compares."""
    up = engine.facts.loop(ins).up
    if not up or any(_compares(item, up) for item in [*walk(ins[3]), *walk(ins[6])]):
        return
    for item in walk(ins[5]):
        if item[0] != ir.SET_ITEM or item[2].__class__ is not str:
            continue
        counter = item[3]
        held = facts.defs.get(counter) if counter.__class__ is int else None
        if held is not None and held[0] == ir.MOVE:
            counter = held[3]
        if counter not in up or any(_compares(other, {counter}) for other in facts.every):
            continue
        if any(other[0] == ir.DECLARE and other[2] == item[2] and FIXED.search(other[3]) for other in facts.every):
            engine.report("buffer-overflow", item[1], item[2], "its size", "low", weak=True)


def _compares(ins: ir.Instr, names: set[str]) -> bool:
    return (
        ins[0] == ir.BINOP
        and ins[3] in COMPARISONS
        and not names.isdisjoint(part for part in ins[4:6] if part.__class__ is str)
    )


def _unended(engine: Engine, facts: FunctionFacts, ins: ir.Instr) -> None:
    """A parameter that comes with its length is searched as a text, whose end may never come."""
    params = facts.function.params
    for param, length in itertools.pairwise(params):
        if ins[4][:1] == [param.name] and "*" in param.type and COUNTS.search(length.name) and "*" not in length.type:
            engine.report("unmeasured-read", ins[1], param.name, ins[3], "low", weak=True)


def _walked(engine: Engine, facts: FunctionFacts, ins: ir.Instr) -> None:
    """``for (i = 0; i < n; i++, p = p->next) p->x``: the list may end before the count does."""
    _, _, _, test, cond, body, update = ins
    for step in update:
        if step[0] != ir.MOVE or step[2].__class__ is not str or step[3].__class__ is not int:
            continue
        name, source = step[2], facts.defs.get(step[3])
        if source is None or source[0] != ir.ATTR or source[3] != name:
            continue
        inner = list(walk(body))
        used = next((item for item in inner if item[0] in (ir.ATTR, ir.SET_ATTR) and name in item[2:4]), None)
        if used is None or cond == name or any(_tests(item, name) for item in [*walk(test), *inner]):
            continue
        engine.report("unchecked-result", used[1], name, f"`{name}->{source[4]}`", "low", weak=True)


def _tests(ins: ir.Instr, name: str) -> bool:
    """Whether an instruction compares a variable or decides by it."""
    op = ins[0]
    if op == ir.IF:
        return bool(ins[2] == name)
    if op == ir.UNOP:
        return bool(ins[3] == "!" and ins[4] == name)
    if op == ir.MOVE:
        return bool(ins[2] == name)
    return bool(op == ir.BINOP and ins[3] in ("==", "!=") and name in ins[4:6])


def _signal(engine: Engine, ins: ir.Instr) -> None:
    """A handler that calls functions which are not safe in one."""
    args = ins[4]
    name = args[1] if len(args) > 1 else None
    index = engine.facts.by_name.get(name) if isinstance(name, str) else None
    if index is None:
        return
    bad = engine.facts.functions[index].callees & UNSAFE_IN_SIGNAL
    if bad:
        engine.report("signal-handler", ins[1], str(name), min(bad), "medium")


def _cleared(engine: Engine, facts: FunctionFacts, ins: ir.Instr) -> None:
    """``memset`` of a local that is not used afterwards is removed by compilers."""
    args = ins[4]
    if not args or not isinstance(args[0], str):
        return
    name = args[0]
    if any(param.name == name for param in facts.function.params):
        return
    seen = used = declared = False
    for item in facts.every:
        if item is ins:
            seen = True
        elif item[0] == ir.DECLARE and item[2] == name:
            declared = item[3].endswith("]")
        elif seen and item[0] != ir.RETURN and name in _operands(item):
            used = True
    if declared and seen and not used:
        engine.report("clearing-removed", ins[1], name, str(ins[3]), "medium")


def _operands(ins: ir.Instr) -> list[object]:
    found: list[object] = []
    for field in ins[2:]:
        if isinstance(field, list):
            found.extend(item for item in field if isinstance(item, str))
        elif isinstance(field, str):
            found.append(field)
    return found
