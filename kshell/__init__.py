"""kshell: a Linux 6.1 kernel you can type system calls at."""

__version__ = "0.1.0"
