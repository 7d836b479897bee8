"""include/linux/timer.h: the struct, defined beside its functions."""

from kshell.linux.kernel.time.timer import timer_list as timer_list
