"""Stopping the kernel in the middle: breakpoints, watchpoints, stepping."""
