# SPDX-License-Identifier: MIT
"""Planted bugs of the kernel (kern/crash.c): each guard must see its own.

crash=NAME makes a DEBUG kernel do something forbidden; the run must end in
the panic of the guard that is meant for it, with a backtrace that names the
culprit, on one CPU and on four.
"""

import re

import pytest

import qemu

# name: the panic, and the function that the backtrace must show
BUGS = {
    'stack': ('kernel stack overflow: sp 0x', 'crash_stack'),
    'null': ('load fault in the kernel .* address 0x10$', 'crash_null'),
    # the address is mapped: SUM, SMAP, or SMEP forbid it
    'user': (r'load fault in the kernel .* address 0x[0-9a-f]{10,12}$',
             'crash_user'),
    'userexec': (r'execute fault in the kernel at pc (0x[0-9a-f]{5,12}), '
                 r'address \1$', None),
    'text': ('store fault in the kernel .* address 0xffffffff8', 'crash_text'),
    'alias': ('store fault in the kernel .* address 0xffff(ffc|800)',
              'crash_alias'),
    # the faulting pc is not in any function: the port's handler is the last
    'exec': ('execute fault in the kernel at pc 0xffffffff8', None),
    'overflow': ('undefined behaviour', 'crash_overflow'),
    'rank': ('lock order: low .* wanted, high .* held', 'crash_rank'),
    'twice': ('lock low: taken twice', 'crash_twice'),
    'frame': ('frame 0x.*: written while free, offset 0x60', 'crash_frame'),
    'object': ('kmalloc-128 object .* written while free, offset 50',
               'crash_object'),
}


def crash(name, cpus, arch='riscv'):
    return qemu.boot(arch=arch, cpus=cpus, args={'crash': name}, silence=15,
                     total=60, name=f'crash-{arch}-{name}-{cpus}')


@pytest.mark.parametrize('arch', qemu.TESTED)
@pytest.mark.parametrize('name,cpus', [
    (name, 1 if i % 2 else 4) for i, name in enumerate(BUGS)])
def test_guard(name, cpus, arch):
    why, culprit = BUGS[name]
    result = crash(name, cpus, arch)
    assert result.outcome == 'panic', result.explain()
    assert re.search(why, result.why), result.why
    trace = (result.artifacts / 'panic.txt').read_text()
    if culprit:
        assert re.search(rf'\b{culprit} at crash\.c:\d+', trace), trace
    else:
        assert 'trap_kernel at trap.c' in trace


@pytest.mark.parametrize('arch', qemu.TESTED)
def test_hang_is_found_and_shown(arch):
    """A CPU that spins with interrupts off: gdb's stacks name the place."""
    result = qemu.boot(arch=arch, cpus=2, args={'crash': 'hang'}, silence=4,
                       total=30, name=f'crash-{arch}-hang')
    assert result.outcome == 'hang', result.explain()
    stacks = (result.artifacts / 'stacks.txt').read_text()
    assert re.search(r'crash_hang .*crash\.c:\d+', stacks), stacks


def test_every_bug_is_listed():
    source = (qemu.TOP / 'kern/crash.c').read_text()
    assert set(re.findall(r'\{ "(\w+)", crash_', source)) == \
        set(BUGS) | {'hang'}


def test_no_guard_for_it():
    """The hook itself: an unknown name is said to be unknown."""
    result = crash('nothing', 1)
    assert 'crash=nothing: no such bug' in result.why, result.explain()
