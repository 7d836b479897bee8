"""Steps: random calls, what /proc holds, time, tasks; and how often each of all steps is taken."""

import struct

from fuzzing import arguments, calls, steps_net
from fuzzing.flows import FLOWS
from fuzzing.memory import ARENA
from fuzzing.paths import all_paths, settings
from fuzzing.values import number
from kshell.abi.syscalls import BY_NAME, I386_BY_NAME

SECOND = 1_000_000_000
MODULES = (
    b"dummy", b"veth", b"bridge", b"tun", b"x25", b"sch_fq", b"tcp_diag", b"udp_diag", b"unix_diag", b"inet_diag",
    b"af_packet_diag", b"netlink_diag", b"nix",
)
TASKS = 6


def any_call(world, r, task):
    name = calls.choose(r)
    args = calls.fix(r, name, world.maker(r, task).arguments(BY_NAME[name]))
    world.raw_call(task, name, args)


def compat_call(world, r, task):
    name = r.choice(calls.NAMES32)
    if name in calls.RARE:
        return
    args = calls.fix(r, name, world.maker(r, task).arguments(I386_BY_NAME[name]))
    world.raw_call(task, name, args, compat=True)


def sysctl(world, r, task):
    path = r.choice(settings()) if r.randrange(6) else r.choice(all_paths())
    fd = world.sure("open", path + b"\0", r.choice((1, 1, 2)), 0, task=task)
    if fd < 0:
        return
    raw = calls.setting(r)
    if r.randrange(5) == 0:
        world.sure("pwrite64", fd, raw, len(raw), number(r) % (1 << 63), task=task)
    else:
        world.sure("write", fd, raw, len(raw), task=task)
    world.sure("lseek", fd, 0, 0, task=task)
    world.sure("read", fd, ARENA, 4096, task=task)
    if r.randrange(4):
        world.sure("close", fd, task=task)


def proc_read(world, r, task):
    path = r.choice(all_paths())
    if r.randrange(3) == 0:
        path = b"/proc/%d/%s" % (r.choice(world.kernel.tasklist).pid, path.rsplit(b"/", 1)[1])
    fd = world.sure("open", path + b"\0", 0o4000, 0, task=task)
    if fd < 0:
        return
    for _ in range(r.randrange(1, 4)):
        kind = r.randrange(5)
        if kind == 0:
            world.sure("pread64", fd, ARENA, r.choice((1, 7, 100, 4096, 70000)), number(r) % (1 << 63), task=task)
        elif kind == 1:
            world.sure(
                "lseek",
                fd,
                r.choice((0, 1, 5, 100, 4095, 1 << 20, -1 % (1 << 64), number(r))),
                r.randrange(5),
                task=task,
            )
        elif kind == 2:
            world.sure("getdents64", fd, ARENA, r.choice((10, 24, 100, 4096)), task=task)
        else:
            world.sure("read", fd, ARENA, r.choice((0, 1, 7, 100, 4096, 70000)), task=task)
    if r.randrange(4):
        world.sure("close", fd, task=task)


def time(world, r, task):
    ns = r.choice(
        (
            1, 1000, 1000000, 200000000, SECOND, 3 * SECOND, 60 * SECOND, 130 * SECOND, 1000 * SECOND,
            8000 * SECOND, number(r) % (10 * SECOND),
        )
    )
    if world.verbose:
        world.trace.append(f"run_for({ns})")
    world.machine.run_for(ns)


def module(world, r, task):
    name = r.choice(MODULES)
    if r.randrange(3):
        world.sure("init_module", name + b"\0", len(name) + 1, b"\0", task=task)
    else:
        world.sure("delete_module", name + b"\0", r.choice((0x800, 0x200, 0)), task=task)


def epoll(world, r, task):
    fds = world.fds(task)
    ep = world.sure("epoll_create1", 0, task=task)
    for _ in range(3):
        world.sure("epoll_ctl", ep, 1, r.choice(fds), arguments.sized_struct(r, "epoll_event"), task=task)
    world.sure("epoll_wait", ep, ARENA, 8, 0, task=task)
    ready = b"".join(struct.pack("<ihh", fd, 0x3FF, 0) for fd in fds)
    world.sure("poll", ready, len(fds), 0, task=task)


def spawn(world, r, task):
    if sum(t.mm is not None for t in world.kernel.tasklist) < TASKS:
        world.raw_call(task, "clone", (r.choice((17, 17, 0x411, 0x10F00, 0x40000011)), 0, 0, 0, 0))
    else:
        victims = [t for t in world.kernel.tasklist if t.mm is not None and t is not world.machine.init]
        world.sure("kill", r.choice(victims).pid, r.choice((9, 9, 15, 10, 13)), task=task)


STEPS = (
    (44, any_call), (6, compat_call), (8, steps_net.netlink), (8, steps_net.packet), (5, sysctl),
    (4, proc_read), (3, time), (5, steps_net.connection), (3, steps_net.raw), (3, steps_net.tun),
    (2, module), (2, epoll), (2, spawn), (2, steps_net.udp), (2, steps_net.conversation),
    (1, steps_net.devices), (2, steps_net.unix), (2, steps_net.options), (1, steps_net.namespace),
    *FLOWS,
)
"""Weight and function of each."""
