"""What this kernel calls itself (init/version.c), as Debian 12's does."""

from typing import Final

COMMAND_LINE: Final = "console=ttyS0 ro quiet"
UTS_RELEASE: Final = "6.1.0-kshell-amd64"
UTS_VERSION: Final = "#1 SMP PREEMPT_DYNAMIC Debian 6.1.192-1 (kshell model)"
LINUX_BANNER: Final = f"Linux version {UTS_RELEASE} (kshell) {UTS_VERSION}"
LINUX_PROC_BANNER: Final = "(kshell)"
