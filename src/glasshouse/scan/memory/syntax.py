"""Weaknesses that the instructions of a function show without running it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from glasshouse.scan import ir

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
        if op == ir.CALL and ins[3].__class__ is str:
            name = ins[3]
            check = BANNED.get(name)
            if check:
                engine.report(check, ins[1], name, "", "high")
            elif name in WEAK_HASHES:
                engine.report("weak-hash", ins[1], name, "", "medium")
            elif name in WEAK_CIPHERS:
                engine.report("weak-cipher", ins[1], name, "", "medium")
            elif name == "signal" or name == "sigaction":
                _signal(engine, ins)
            if name in ("memset", "bzero"):
                _cleared(engine, facts, ins)


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
