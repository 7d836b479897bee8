"""include/net/tcp_states.h: the states of a socket, which all families share."""

from typing import Final

TCP_ESTABLISHED: Final = 1
TCP_SYN_SENT: Final = 2
TCP_SYN_RECV: Final = 3
TCP_FIN_WAIT1: Final = 4
TCP_FIN_WAIT2: Final = 5
TCP_TIME_WAIT: Final = 6
TCP_CLOSE: Final = 7
TCP_CLOSE_WAIT: Final = 8
TCP_LAST_ACK: Final = 9
TCP_LISTEN: Final = 10
TCP_CLOSING: Final = 11
TCP_NEW_SYN_RECV: Final = 12

TCPF_ESTABLISHED: Final = 1 << TCP_ESTABLISHED
TCPF_SYN_SENT: Final = 1 << TCP_SYN_SENT
TCPF_SYN_RECV: Final = 1 << TCP_SYN_RECV
TCPF_FIN_WAIT1: Final = 1 << TCP_FIN_WAIT1
TCPF_FIN_WAIT2: Final = 1 << TCP_FIN_WAIT2
TCPF_TIME_WAIT: Final = 1 << TCP_TIME_WAIT
TCPF_CLOSE: Final = 1 << TCP_CLOSE
TCPF_CLOSE_WAIT: Final = 1 << TCP_CLOSE_WAIT
TCPF_LAST_ACK: Final = 1 << TCP_LAST_ACK
TCPF_LISTEN: Final = 1 << TCP_LISTEN
TCPF_CLOSING: Final = 1 << TCP_CLOSING
TCPF_NEW_SYN_RECV: Final = 1 << TCP_NEW_SYN_RECV
