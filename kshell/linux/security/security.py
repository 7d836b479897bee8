"""The LSM hooks (security/security.c): called where Linux calls them, no module stands behind them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kshell.linux.init.kernel import Kernel


def security_init(kernel: Kernel) -> None:
    """Linux registers AppArmor, TOMOYO and others here; this kernel is built without."""


def security_bprm_creds_for_exec(*args: object) -> None:
    """Hook without a module."""


def security_cred_free(*args: object) -> None:
    """Hook without a module."""


def security_d_instantiate(*args: object) -> None:
    """Hook without a module."""


def security_file_alloc(*args: object) -> None:
    """Hook without a module."""


def security_file_fcntl(*args: object) -> None:
    """Hook without a module."""


def security_file_free(*args: object) -> None:
    """Hook without a module."""


def security_file_ioctl(*args: object) -> None:
    """Hook without a module."""


def security_file_lock(*args: object) -> None:
    """Hook without a module."""


def security_file_open(*args: object) -> None:
    """Hook without a module."""


def security_file_permission(*args: object) -> None:
    """Hook without a module."""


def security_file_receive(*args: object) -> None:
    """Hook without a module."""


def security_file_send_sigiotask(*args: object) -> None:
    """Hook without a module."""


def security_file_set_fowner(*args: object) -> None:
    """Hook without a module."""


def security_free_mnt_opts(*args: object) -> None:
    """Hook without a module."""


def security_fs_context_parse_param(*args: object) -> None:
    """Hook without a module."""


def security_inet_conn_established(*args: object) -> None:
    """Hook without a module."""


def security_inet_csk_clone(*args: object) -> None:
    """Hook without a module."""


def security_inode_alloc(*args: object) -> None:
    """Hook without a module."""


def security_inode_create(*args: object) -> None:
    """Hook without a module."""


def security_inode_follow_link(*args: object) -> None:
    """Hook without a module."""


def security_inode_free(*args: object) -> None:
    """Hook without a module."""


def security_inode_getattr(*args: object) -> None:
    """Hook without a module."""


def security_inode_init_security(*args: object) -> None:
    """Hook without a module."""


def security_inode_link(*args: object) -> None:
    """Hook without a module."""


def security_inode_mkdir(*args: object) -> None:
    """Hook without a module."""


def security_inode_mknod(*args: object) -> None:
    """Hook without a module."""


def security_inode_need_killpriv(*args: object) -> None:
    """Hook without a module."""


def security_inode_permission(*args: object) -> None:
    """Hook without a module."""


def security_inode_readlink(*args: object) -> None:
    """Hook without a module."""


def security_inode_rename(*args: object) -> None:
    """Hook without a module."""


def security_inode_rmdir(*args: object) -> None:
    """Hook without a module."""


def security_inode_setattr(*args: object) -> None:
    """Hook without a module."""


def security_inode_symlink(*args: object) -> None:
    """Hook without a module."""


def security_inode_unlink(*args: object) -> None:
    """Hook without a module."""


def security_kernel_module_request(*args: object) -> None:
    """Hook without a module."""


def security_mmap_file(*args: object) -> None:
    """Hook without a module."""


def security_netlink_send(*args: object) -> None:
    """Hook without a module."""


def security_path_chmod(*args: object) -> None:
    """Hook without a module."""


def security_path_chown(*args: object) -> None:
    """Hook without a module."""


def security_path_link(*args: object) -> None:
    """Hook without a module."""


def security_path_mkdir(*args: object) -> None:
    """Hook without a module."""


def security_path_mknod(*args: object) -> None:
    """Hook without a module."""


def security_path_rename(*args: object) -> None:
    """Hook without a module."""


def security_path_rmdir(*args: object) -> None:
    """Hook without a module."""


def security_path_symlink(*args: object) -> None:
    """Hook without a module."""


def security_path_truncate(*args: object) -> None:
    """Hook without a module."""


def security_path_unlink(*args: object) -> None:
    """Hook without a module."""


def security_prepare_creds(*args: object) -> None:
    """Hook without a module."""


def security_req_classify_flow(*args: object) -> None:
    """Hook without a module."""


def security_sb_alloc(*args: object) -> None:
    """Hook without a module."""


def security_sb_delete(*args: object) -> None:
    """Hook without a module."""


def security_sb_free(*args: object) -> None:
    """Hook without a module."""


def security_sb_kern_mount(*args: object) -> None:
    """Hook without a module."""


def security_sb_mount(*args: object) -> None:
    """Hook without a module."""


def security_sb_set_mnt_opts(*args: object) -> None:
    """Hook without a module."""


def security_sb_statfs(*args: object) -> None:
    """Hook without a module."""


def security_sb_umount(*args: object) -> None:
    """Hook without a module."""


def security_sk_alloc(*args: object) -> None:
    """Hook without a module."""


def security_sk_classify_flow(*args: object) -> None:
    """Hook without a module."""


def security_sk_clone(*args: object) -> None:
    """Hook without a module."""


def security_sk_free(*args: object) -> None:
    """Hook without a module."""


def security_skb_classify_flow(*args: object) -> None:
    """Hook without a module."""


def security_sock_graft(*args: object) -> None:
    """Hook without a module."""


def security_sock_rcv_skb(*args: object) -> None:
    """Hook without a module."""


def security_socket_accept(*args: object) -> None:
    """Hook without a module."""


def security_socket_bind(*args: object) -> None:
    """Hook without a module."""


def security_socket_connect(*args: object) -> None:
    """Hook without a module."""


def security_socket_create(*args: object) -> None:
    """Hook without a module."""


def security_socket_getpeername(*args: object) -> None:
    """Hook without a module."""


def security_socket_getpeersec_dgram(*args: object) -> None:
    """Hook without a module."""


def security_socket_getpeersec_stream(*args: object) -> None:
    """Hook without a module."""


def security_socket_getsockname(*args: object) -> None:
    """Hook without a module."""


def security_socket_getsockopt(*args: object) -> None:
    """Hook without a module."""


def security_socket_listen(*args: object) -> None:
    """Hook without a module."""


def security_socket_post_create(*args: object) -> None:
    """Hook without a module."""


def security_socket_recvmsg(*args: object) -> None:
    """Hook without a module."""


def security_socket_sendmsg(*args: object) -> None:
    """Hook without a module."""


def security_socket_setsockopt(*args: object) -> None:
    """Hook without a module."""


def security_socket_shutdown(*args: object) -> None:
    """Hook without a module."""


def security_socket_socketpair(*args: object) -> None:
    """Hook without a module."""


def security_task_alloc(*args: object) -> None:
    """Hook without a module."""


def security_task_free(*args: object) -> None:
    """Hook without a module."""


def security_task_kill(*args: object) -> None:
    """Hook without a module."""


def security_unix_may_send(*args: object) -> None:
    """Hook without a module."""


def security_unix_stream_connect(*args: object) -> None:
    """Hook without a module."""
