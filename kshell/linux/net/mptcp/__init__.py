"""net/mptcp: the settings of Multipath TCP, which the model does not have."""
