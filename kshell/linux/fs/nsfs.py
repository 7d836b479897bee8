"""Being written by the lead; do not write it again."""
