"""KSHELL_FROM_CACHE=1: kshell is loaded from its byte code cache, as its users have it, instead of from its sources."""

import os

if os.environ.get("KSHELL_FROM_CACHE"):
    from kshell.shell import bytecode, bytecode_build

    if not os.path.exists(bytecode.CACHE):
        bytecode_build.build()
    bytecode.install()
