"""net/netfilter: what is there of it without tables and rules."""
