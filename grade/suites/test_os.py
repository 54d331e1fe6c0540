# SPDX-License-Identifier: MIT
"""The real system: its own tests, one boot a group, and its shell.

The rows are pairwise over the axes of matrix.py; `make test-all` runs the
whole product.
"""

import collections
import re
import socket
import time

import pytest

import faults
import matrix
import qemu

ROWS = matrix.pairwise() if matrix.GROUPS else []
both = pytest.mark.parametrize('arch', qemu.TESTED)


@pytest.mark.parametrize('row', ROWS, ids=matrix.name_of)
def test_group(row, record_property):
    result = matrix.boot(row)
    for key, value in result.record.counts().items():
        record_property(key, value)
    assert result.passed, result.explain()
    if row['group'] in matrix.SWAPS:
        assert not any(p.skip for p in result.record.points), 'no swap device'


@pytest.mark.skipif('riscv' not in qemu.TESTED, reason='another machine')
@pytest.mark.parametrize('machine', ['', 'aclint=on'])
def test_who_sends_interrupts(machine, tmp_path):
    """Those between CPUs come through the firmware, in machine mode first, but
    on a machine whose registers send them to the kernel.  The log of the
    emulator says so; there the firmware uses its own to start the CPUs."""
    log, cpus = tmp_path / 'log', 4
    result = qemu.boot(arch='riscv', cpus=cpus, machine=machine,
                       args={'test': 'thread'}, silence=60, total=240,
                       name=f'interrupts-{machine or "default"}',
                       extra=('-d', 'int', '-D', str(log)))
    assert result.passed, result.explain()
    with open(log) as lines:
        seen = collections.Counter(line.rpartition('desc=')[2].strip()
                                   for line in lines)
    assert seen['s_software'] > 200
    if machine:
        assert seen['m_software'] <= 2 * cpus
    else:
        assert seen['m_software'] > 200


@both
def test_slow_reader_loses_nothing(arch):
    """A few bytes fit into the socket; the last line waits in the port when
    the power is to go."""
    machine = qemu.Machine(qemu.Config(arch=arch, args={'test': 'pipe'},
                                       name=f'slow-reader-{arch}'))
    results, paused = machine.results, False
    results.theirs.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1)
    results.chunk = 1
    with machine:
        while not machine.over():
            machine.pump(0.25)
            last = bytes(results.data).rpartition(b'\n# ')[2]
            if last.startswith(b'time') and last.endswith(b'\n'):
                assert not paused
                time.sleep(1)
                paused = True
        record = machine.parser.close()
    assert paused and record.complete and not record.missing, record.missing


def test_nothing_but_skipped_is_no_pass():
    result = qemu.boot(arch=qemu.TESTED[0], args={'test': 'swap'},
                       name='all-skipped')
    assert result.outcome == 'incomplete' and 'without swap=' in result.why


@both
def test_no_group_is_forgotten(arch):
    assert sorted(matrix.listed_groups(arch)) == sorted(matrix.GROUPS)


def test_pairwise_covers_every_pair():
    want = set().union(*map(matrix.pairs_of, matrix.product()))
    have = set().union(*map(matrix.pairs_of, ROWS))
    assert want == have


def shell(arch, cpus, **kw):
    return qemu.Machine(qemu.Config(arch=arch, cpus=cpus,
                                    name=f'shell-{arch}-{cpus}', **kw))


@both
@pytest.mark.parametrize('cpus', range(1, 9))
def test_shell(arch, cpus):
    """Boot to the prompt and work there."""
    with shell(arch, cpus) as machine:
        machine.expect(r'\$ ', timeout=30)
        machine.send('echo alpha beta | wc\n')
        machine.expect(r'\s1\s+2\s+11\b', timeout=20)
        machine.expect(r'\$ ')
        machine.send('cat /proc/uptime\n')
        machine.expect(r'\d+\.\d+', timeout=20)


@both
def test_power_off_is_clean(arch):
    """From the shell: the emulator ends by itself, and without a panic."""
    with shell(arch, 4) as machine:
        machine.expect(r'\$ ', timeout=30)
        machine.send('poweroff\n')
        while not machine.over():
            machine.pump(0.25)
        assert machine.end == ('stopped', 'guest-shutdown'), machine.end
        assert '# panic' not in machine.console.text()


def deterministic(arch, seed):
    """All that a run of 4 CPUs in the deterministic lane said, its time in
    instructions included."""
    machine = qemu.Machine(qemu.Config(
        arch=arch, cpus=4, lane='icount', name=f'determinism-{arch}-{seed}',
        silence=60,
        args={'test': 'cow', 'fuzz': seed}))
    result = machine.run()
    assert result.passed, result.explain()
    said = machine.results.text()
    assert re.search(r'^# time \d+ ns', said, re.M)
    return result.console, said


@both
def test_seed_decides_the_interleaving(arch):
    """The same seed: the same to the last byte and instruction.  Other seeds:
    other interleavings."""
    first = deterministic(arch, 1)
    assert first == deterministic(arch, 1)
    others = {deterministic(arch, seed)[1] for seed in (2, 3)}
    assert len(others | {first[1]}) == 3


@both
@pytest.mark.parametrize('pages', [0, 1, 16])
def test_memory_and_swap_exhausted(arch, pages):
    """With no swap, and with so little that it is full at once: one process
    ends, the others live."""
    swap = {'ram1': pages * 4096, 'swap': 'ram1'} if pages else {}
    result = qemu.Machine(qemu.Config(
        arch=arch, mem='64M', name=f'swap-of-{pages}-{arch}', silence=90,
        args={'test': 'oom.memory_hog', **swap})).run()
    assert result.passed, result.explain()


@both
@pytest.mark.parametrize('n', [1, 3, 10, 30, 60, 90])
def test_prompt_without_one_allocation(arch, n):
    """Some of them; `make faults ARGS=--prompt` lets each one fail."""
    failed, wrong = faults.prompt(n, arch=arch, cpus=1 + n % 4)
    assert failed and not wrong, wrong


@both
@pytest.mark.parametrize('test', ['memory_hog', 'fork_bomb'])
def test_shell_survives(arch, test):
    """Whatever takes all memory or all processes, the shell works on."""
    with shell(arch, 4, silence=90) as machine:
        machine.expect(r'\$ ', timeout=30)
        machine.send(f'/test/oom {test}\n')
        machine.expect(rf'(?m)^ok 1 {test}', timeout=90)
        machine.expect(r'\$ ', timeout=60)
        machine.send('echo still here | wc\n')
        machine.expect(r'\s1\s+2\s+11\b', timeout=30)
