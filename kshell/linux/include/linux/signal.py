"""include/linux/signal.h: what a signal number may be."""

NSIG = 64


def valid_signal(sig: int) -> bool:
    """Whether there is a signal of that number; 0 asks only."""
    return 0 <= sig <= NSIG
