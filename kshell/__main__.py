"""`python -m kshell` is `kshell`."""

from kshell.shell.main import entry

entry()
