"""include/linux/signal.h: what a signal number may be."""

NSIG = 64
