"""Writes kshell/lens/linux_files.tsv: the files of Linux in the model's folders, and where recorded functions lie.

    python scripts/lib/make_linux_files.py LINUX_SOURCE FUNCTIONS_TSV

FUNCTIONS_TSV: function name and source files by tab, as tests/conformance/functions.tsv. Lines of the result:
`dir<TAB>FOLDER<TAB>STEM STEM ...` and `function<TAB>NAME<TAB>FILE,FILE`.
"""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT))

from kshell.lens.linux_files import HEAD, TABLE  # noqa: E402

UNRECORDED = {
    "drivers/connector/connector.c": "cn_init",
    "drivers/net/ethernet/intel/e1000/e1000.h": "E1000_DESC_UNUSED",
    "drivers/pci/probe.c": "pci_device_add",
    "fs/proc/base.c": "proc_pid_limits",
    "fs/proc/cmdline.c": "cmdline_proc_show proc_cmdline_init",
    "fs/proc/cpuinfo.c": "proc_cpuinfo_init",
    "fs/proc/devices.c": "devinfo_show proc_devices_init",
    "fs/proc/fd.c": "seq_show seq_fdinfo_open proc_lookupfdinfo proc_readfdinfo",
    "fs/proc/loadavg.c": "loadavg_proc_show proc_loadavg_init",
    "fs/proc/meminfo.c": "show_val_kb meminfo_proc_show proc_meminfo_init",
    "fs/proc/softirqs.c": "show_softirqs proc_softirqs_init",
    "fs/proc/stat.c": "show_stat proc_stat_init",
    "fs/proc/task_mmu.c": "show_vma_header_prefix show_map_vma show_map",
    "fs/proc/uptime.c": "uptime_proc_show proc_uptime_init",
    "fs/proc/version.c": "version_proc_show proc_version_init",
    "include/linux/inetdevice.h": "ip_ignore_linkdown",
    "include/linux/netdevice.h": "skb_gso_segment",
    "include/linux/netlink.h": "NL_SET_ERR_MSG NL_SET_BAD_ATTR NL_SET_ERR_MSG_ATTR",
    "include/linux/printk.h": "pr_info pr_notice pr_warn pr_err",
    "include/linux/skbuff.h": "skb_rtable",
    "include/net/codel_impl.h": "codel_dequeue codel_should_drop codel_control_law",
    "include/net/inetpeer.h": "inet_getpeer_v4",
    "include/net/netlink.h": "nla_for_each_nested nla_type nla_total_size",
    "include/net/route.h": "rt_is_input_route inet_iif",
    "kernel/audit.c": "audit_init audit_net_exit",
    "kernel/exit.c": "eligible_child wait_task_stopped do_wait_thread sys_wait4 sys_waitid",
    "kernel/irq/handle.c": "handle_irq_event",
    "kernel/module/procfs.c": "m_start m_next m_stop m_show proc_modules_init",
    "lib/kobject_uevent.c": "uevent_net_init uevent_net_exit kobject_uevent_init",
    "mm/slab_common.c": "slab_start slab_next slab_stop print_slabinfo_header cache_show slab_show slab_proc_init",
    "net/bridge/br_if.c": "br_port_carrier_check",
    "net/bridge/br_netlink.c": "br_changelink br_validate br_dev_newlink br_fill_info",
    "net/bridge/br_stp_if.c": "br_stp_enable_port br_stp_disable_port br_stp_enable_bridge br_stp_disable_bridge "
    "br_stp_change_bridge_id br_stp_recalculate_bridge_id br_init_port",
    "net/core/dev.c": "__skb_gso_segment",
    "net/core/flow_dissector.c": "flow_hash_from_keys",
    "net/core/gro.c": "skb_mac_gso_segment",
    "net/core/skbuff.c": "skb_segment",
    "net/ipv4/af_inet.c": "inet_gso_segment",
    "net/ipv4/fib_frontend.c": "nl_fib_lookup_exit",
    "net/ipv4/fib_semantics.c": "fib_nexthop_nlmsg_size fib_add_nexthop fib_add_multipath fib_count_nexthops "
    "fib_get_nhs fib_good_nh fib_select_multipath",
    "net/ipv4/route.c": "ip_multipath_l3_keys fib_multipath_hash",
    "net/ipv4/tcp_offload.c": "tcp_gso_segment",
    "net/ipv4/udp_offload.c": "__udp_gso_segment",
    "net/ipv6/datagram.c": "ip6_datagram_connect ip6_datagram_connect_v6_only",
    "net/ipv6/inet6_hashtables.c": "inet6_hash",
    "net/ipv6/ipv6_sockglue.c": "ipv6_setsockopt ipv6_getsockopt",
    "net/ipv6/ping.c": "ping_v6_sendmsg",
    "net/ipv6/raw.c": "rawv6_close rawv6_ioctl raw6_destroy rawv6_setsockopt rawv6_getsockopt rawv6_sendmsg "
    "rawv6_recvmsg",
    "net/ipv6/udp.c": "udpv6_init_sock udpv6_destroy_sock udpv6_setsockopt udpv6_getsockopt udpv6_sendmsg "
    "udpv6_recvmsg udp_v6_get_port",
    "net/packet/internal.h": "pkt_sk",
    "security/selinux/netlink.c": "selnl_init",
}
"""Functions in no recorded list that the model keeps in a module of another name, by Linux's file."""


def main(source: Path, functions: Path) -> None:
    """Write the table."""
    model = ROOT / "kshell" / "linux"
    lines = [HEAD]
    for folder in sorted({path.parent.relative_to(model).as_posix() for path in model.rglob("*.py")}):
        stems = sorted(path.stem for path in (source / folder).glob("*.h" if folder.startswith("include") else "*.c"))
        if stems:
            lines.append(f"dir\t{folder}\t{' '.join(stems)}")
    lines += [f"function\t{row}" for row in functions.read_text().splitlines()[1:]]
    recorded = {row.split("\t")[1] for row in lines if row.startswith("function")}
    for file, names in UNRECORDED.items():
        assert (source / file).exists(), file
        lines += [f"function\t{name}\t{file}" for name in names.split() if name not in recorded]
    TABLE.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
