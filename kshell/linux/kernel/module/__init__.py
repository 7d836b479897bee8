"""kernel/module/: modules."""

