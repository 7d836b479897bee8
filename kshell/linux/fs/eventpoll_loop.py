"""epoll files that watch epoll files: no loops, no storms of wake-ups (fs/eventpoll.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kshell.abi.errno import EINVAL, ELOOP
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.eventpoll import EP_MAX_NESTS, epitem, epitems_head, eventpoll
from kshell.linux.mm.slub import kmem_cache_free

if TYPE_CHECKING:
    from kshell.linux.include.linux.fs import file
    from kshell.linux.init.kernel import Kernel

PATH_LIMITS: Final = (1000, 500, 100, 50, 10)


def list_file(kernel: Kernel, f: file) -> None:
    """Remember a file whose wake-up paths are to be counted."""
    head = f.f_ep
    if isinstance(head, epitems_head) and not head._listed:
        head._listed = True
        kernel.tfile_check_list.append(head)


def path_count_inc(path_count: list[int], nests: int) -> None:
    """Count a path of a length. EINVAL: too many of it."""
    if nests == 0:
        return
    path_count[nests] += 1
    if path_count[nests] > PATH_LIMITS[nests]:
        raise KernelError(EINVAL)


def reverse_path_check_proc(refs: list[epitem], depth: int, path_count: list[int]) -> None:
    """Count the paths from a file up to epoll files that nobody watches. EINVAL: too deep."""
    if depth > EP_MAX_NESTS:
        raise KernelError(EINVAL)
    for epi in refs:
        if epi.ep.refs:
            reverse_path_check_proc(epi.ep.refs, depth + 1, path_count)
        else:
            path_count_inc(path_count, depth)


def reverse_path_check(kernel: Kernel) -> None:
    """EINVAL: a listed file would wake too many epoll files."""
    for head in kernel.tfile_check_list:
        reverse_path_check_proc(head, 0, [0] * len(PATH_LIMITS))


def ep_loop_check_proc(kernel: Kernel, ep: eventpoll, inserting_into: eventpoll, depth: int) -> int:
    """How many levels of epoll files lie below ep; more than EP_MAX_NESTS also for a loop."""
    if ep.gen == kernel.loop_check_gen:
        return ep.loop_check_depth
    result = 0
    ep.gen = kernel.loop_check_gen
    for epi in tuple(ep.rbr.values()):
        below = epi.ffd.file.private_data
        if not isinstance(below, eventpoll):
            list_file(kernel, epi.ffd.file)
            continue
        if below is inserting_into or depth > EP_MAX_NESTS:
            result = EP_MAX_NESTS + 1
        else:
            result = max(result, ep_loop_check_proc(kernel, below, inserting_into, depth + 1) + 1)
        if result > EP_MAX_NESTS:
            break
    ep.loop_check_depth = result
    return result


def ep_get_upwards_depth_proc(kernel: Kernel, ep: eventpoll, depth: int) -> int:
    """How many levels of epoll files lie above ep."""
    if ep.gen == kernel.loop_check_gen:
        return ep.loop_check_depth
    result = 0
    for epi in ep.refs:
        result = max(result, ep_get_upwards_depth_proc(kernel, epi.ep, depth + 1) + 1)
    ep.gen = kernel.loop_check_gen
    ep.loop_check_depth = result
    return result


def ep_loop_check(kernel: Kernel, ep: eventpoll, to: eventpoll) -> None:
    """ELOOP: ep watching to would close a loop or be too deep."""
    depth = ep_loop_check_proc(kernel, to, ep, 0)
    if depth > EP_MAX_NESTS:
        raise KernelError(ELOOP)
    if depth + 1 + ep_get_upwards_depth_proc(kernel, ep, 0) > EP_MAX_NESTS:
        raise KernelError(ELOOP)


def unlist_file(kernel: Kernel, head: epitems_head) -> None:
    """Forget a listed file; its list is freed if no item is left."""
    head._listed = False
    if not head:
        kmem_cache_free(kernel.ephead_cache, head)


def clear_tfile_check_list(kernel: Kernel) -> None:
    """Forget all listed files."""
    while kernel.tfile_check_list:
        unlist_file(kernel, kernel.tfile_check_list.pop())
