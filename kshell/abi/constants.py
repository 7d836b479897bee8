"""Every constant of the user ABI in one namespace: ``from kshell.abi.constants import AF_INET``."""

# ruff: noqa: F403

from kshell.abi.capability import *
from kshell.abi.ethtool import *
from kshell.abi.fcntl import *
from kshell.abi.if_link import *
from kshell.abi.inet import *
from kshell.abi.ioctl import *
from kshell.abi.mman import *
from kshell.abi.neighbour import *
from kshell.abi.netdevice import *
from kshell.abi.netlink import *
from kshell.abi.packet import *
from kshell.abi.poll import *
from kshell.abi.resource import *
from kshell.abi.rtnetlink import *
from kshell.abi.sched import *
from kshell.abi.signal import *
from kshell.abi.sock_diag import *
from kshell.abi.socket import *
from kshell.abi.stat import *
from kshell.abi.tcp import *
from kshell.abi.time import *
