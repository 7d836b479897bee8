"""Writes kshell/lens/linux_files.tsv: the C files of Linux in the model's folders, and where recorded functions lie.

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
    "skb_segment": "net/core/skbuff.c", "skb_gso_segment": "include/linux/netdevice.h",
    "__skb_gso_segment": "net/core/dev.c", "skb_mac_gso_segment": "net/core/gro.c",
    "inet_gso_segment": "net/ipv4/af_inet.c", "tcp_gso_segment": "net/ipv4/tcp_offload.c",
    "__udp_gso_segment": "net/ipv4/udp_offload.c", "inet_getpeer_v4": "include/net/inetpeer.h",
    "codel_dequeue": "include/net/codel_impl.h", "codel_should_drop": "include/net/codel_impl.h",
    "codel_control_law": "include/net/codel_impl.h", "br_changelink": "net/bridge/br_netlink.c",
    "br_validate": "net/bridge/br_netlink.c", "br_dev_newlink": "net/bridge/br_netlink.c",
    "br_fill_info": "net/bridge/br_netlink.c", "br_stp_enable_port": "net/bridge/br_stp_if.c",
    "br_stp_disable_port": "net/bridge/br_stp_if.c", "br_stp_enable_bridge": "net/bridge/br_stp_if.c",
    "br_stp_disable_bridge": "net/bridge/br_stp_if.c", "br_stp_change_bridge_id": "net/bridge/br_stp_if.c",
    "br_stp_recalculate_bridge_id": "net/bridge/br_stp_if.c", "br_init_port": "net/bridge/br_stp_if.c",
    "br_port_carrier_check": "net/bridge/br_if.c", "handle_irq_event": "kernel/irq/handle.c",
    "pci_device_add": "drivers/pci/probe.c",
}  # fmt: skip
"""Functions in no recorded list that the model keeps in a module of another name."""


def main(source: Path, functions: Path) -> None:
    """Write the table."""
    model = ROOT / "kshell" / "linux"
    lines = [HEAD]
    for folder in sorted({path.parent.relative_to(model).as_posix() for path in model.rglob("*.py")}):
        stems = sorted(path.stem for path in (source / folder).glob("*.c"))
        if stems and not folder.startswith("include"):
            lines.append(f"dir\t{folder}\t{' '.join(stems)}")
    lines += [f"function\t{row}" for row in functions.read_text().splitlines()[1:]]
    recorded = {row.split("\t")[1] for row in lines if row.startswith("function")}
    lines += [f"function\t{name}\t{file}" for name, file in UNRECORDED.items() if name not in recorded]
    TABLE.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
