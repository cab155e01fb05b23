"""Functions of PHP's own library that change the variables they are given, take functions by name, or print."""

from __future__ import annotations

FIRST = (0,)
OUTPUTS: dict[str, tuple[int, ...]] = {
    "preg_match": (2,),
    "preg_match_all": (2,),
    "mb_parse_str": (1,),
    "exec": (1,),
    "openssl_public_encrypt": (1,),
    "openssl_private_decrypt": (1,),
    "sscanf": (2, 3, 4, 5, 6),
    "settype": FIRST,
    "array_push": FIRST,
    "array_unshift": FIRST,
    "array_pop": FIRST,
    "array_shift": FIRST,
    "array_splice": FIRST,
    "array_walk": FIRST,
    "proc_open": (2,),
    "curl_multi_exec": (1,),
    "mysqli_stmt_bind_result": (1, 2, 3, 4, 5, 6),
}
CALLABLES = {
    "call_user_func": 0,
    "call_user_func_array": 0,
    "array_map": 0,
    "array_filter": 1,
    "array_reduce": 1,
    "array_walk": 1,
    "usort": 1,
    "uasort": 1,
    "uksort": 1,
    "preg_replace_callback": 1,
    "register_shutdown_function": 0,
    "set_error_handler": 0,
    "set_exception_handler": 0,
    "spl_autoload_register": 0,
    "ob_start": 0,
    "iterator_apply": 1,
    "forward_static_call": 0,
    "add_action": 1,
    "add_filter": 1,
    "add_shortcode": 1,
    "register_activation_hook": 1,
}
PRINTING = frozenset("printf vprintf print_r var_dump".split())
FILE_FIELDS = frozenset(["tmp_name", "size", "error"])
