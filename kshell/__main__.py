"""`python -m kshell` is `kshell`."""

import sys

from kshell.shell.main import main

sys.exit(main())
