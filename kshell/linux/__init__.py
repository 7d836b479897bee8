"""A model of Linux 6.1: each file of Linux that it covers is here, at the same place and under the same name.

The modules call each other in circles, as Linux's files do, so not every order of importing them works. As with vmlinux,
which is linked as a whole, importing any of them brings in the kernel, in the order that begins with start_kernel().
"""

import kshell.linux.init.main  # noqa: F401  it brings in the rest
