"""Being written by the lead (netlink)."""
