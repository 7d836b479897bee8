"""kernel/module/: modules."""

from kshell.linux.kernel.module.main import __module_get as __module_get
from kshell.linux.kernel.module.main import module_put as module_put
from kshell.linux.kernel.module.main import try_module_get as try_module_get
