"""include/linux/limits.h: the ends of the C types."""

INT_MAX = 0x7FFFFFFF
S32_MIN = -0x80000000
