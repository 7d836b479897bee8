"""include/linux/if_vlan.h: the tag of a VLAN."""

VLAN_HLEN = 4  # what the tag adds to an Ethernet header
