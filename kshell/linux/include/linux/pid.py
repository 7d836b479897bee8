"""include/linux/pid.h: the struct, defined beside its functions."""

from kshell.linux.include.linux.sched import pid as pid
