"""A failing kernel function raises (include/linux/err.h returns ERR_PTR)."""


class KernelError(Exception):
    """The kernel's `return -errno`: raised where Linux returns the negative number.

    errno: positive error number, kshell.abi.errno or include/linux/errno.
    """

    __slots__ = ("errno",)

    def __init__(self, errno: int) -> None:
        self.errno = errno

    def __str__(self) -> str:
        return f"errno {self.errno}"
