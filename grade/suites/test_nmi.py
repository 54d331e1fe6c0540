# SPDX-License-Identifier: MIT
"""x86-64: non-maskable interrupts where the kernel runs with the GS of a
program.

NMI comes with interrupts off too: between the entry and SWAPGS, and between
SWAPGS and SYSRET or IRET.  gdb stops a CPU at each of these instructions, the
monitor presses the NMI button, and the system must go on as if nothing had
been.  Then a storm of NMIs at random moments, during the tests in the OS.
"""

import os
import re
import subprocess
import time

import pytest

import postmortem
import qemu

pytestmark = pytest.mark.skipif('x86_64' not in qemu.TESTED,
                                reason='another architecture')
SEEN = re.compile(r'# nmi: cpu \d+ pc (0x[0-9a-f]+)')


def windows(kernel):
    """{place: address}: each instruction with the GS of a program."""
    text = subprocess.run(
        [qemu.CROSS_X86_64 + 'objdump', '-d', '--no-show-raw-insn',
         str(kernel)], capture_output=True, text=True, check=True).stdout
    found, function, after_swap = {}, '', False
    for line in text.splitlines():
        if m := re.match(r'[0-9a-f]+ <(\w+)>:', line):
            function, first = m[1], True
        elif m := re.match(r'\s*([0-9a-f]+):\s+(\w+)', line):
            address, insn = int(m[1], 16), m[2]
            if insn in ('sysretq', 'iretq') and after_swap:
                found[f'{function}: {insn}'] = address
            if function == 'syscall_entry_point' and first:
                found['syscall: first'] = address
            if insn == 'swapgs' and function in ('syscall_entry_point',
                                                 'trap_common'):
                found.setdefault(f'{function}: swapgs', address)
            if function == 'trap_common' and first:
                found['trap: common'] = address
            if function == 'trap_stubs' and first:
                found['trap: page fault'] = address + 14 * 16
            after_swap, first = insn == 'swapgs', False
    return found


def machine(name, cpus, **kw):
    return qemu.Machine(qemu.Config(
        arch='x86_64', cpus=cpus, name=f'nmi-{name}', flood=1 << 24, **kw))


def test_at_each_window():
    with machine('windows', 1, silence=1000, total=1000) as m:
        places = windows(m.config.kernel)
        assert {'syscall: first', 'trap: page fault', 'trap_common: swapgs',
                'syscall_return: sysretq', 'user_return: iretq'} <= \
            set(places), places
        m.expect(r'\$ ', timeout=60)
        m.send('stress -t 1000 -n 2 memory &\n')
        m.expect(r'\$ ')
        path = os.path.join(m.dir, 'gdb')
        m.monitor(f'gdbserver unix:{path},server=on,wait=off')
        cmd = postmortem.gdb_command(m.config, path) + ['-batch']
        for address in places.values():
            # Without the breakpoint the CPU goes on by the interrupt.
            for line in (f'hbreak *{address:#x}', 'continue', 'delete',
                         'monitor nmi', 'hbreak trap_nmi', 'continue',
                         'delete'):
                cmd += ['-ex', line]
        gdb = subprocess.Popen(
            cmd + ['-ex', 'detach'], stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT)
        limit = time.monotonic() + 60 * qemu.TIMESCALE
        while gdb.poll() is None and time.monotonic() < limit:
            m.pump(0.1)     # a console that nobody reads stops the guest
        gdb.kill()
        gdb.wait()
        m.command('cont')
        m.send('echo still here\n')
        m.expect(r'\nstill here', timeout=60)
        seen = {int(pc, 16) for pc in SEEN.findall(m.console.text())}
        missed = {p: hex(a) for p, a in places.items() if a not in seen}
        assert not missed, missed
        assert '# panic' not in m.console.text()


@pytest.mark.parametrize('group', ['machine', 'thread'])
def test_storm(group):
    """The group passes below a storm; after it the machine works, and goes
    off when it is told to."""
    with machine(group, 4, silence=60, total=300, grace=60) as m:
        m.expect(r'\$ ', timeout=60)
        m.send(f'ktest {group}\n')
        limit = time.monotonic() + 200 * qemu.TIMESCALE
        while not m.parser.rec.complete and time.monotonic() < limit:
            m.pump(0.005)
            if m.parser.rec.started:
                m.command('inject-nmi')
        record = m.parser.close()
        assert record.points and not (
            record.failed or record.missing or record.breaches), record
        assert len(SEEN.findall(m.console.text())) > 20
        said = -1           # those that were on their way
        while said != len(m.console.data):
            said = len(m.console.data)
            m.pump(2)
            time.sleep(0.5)
        m.send('echo still here\n')
        m.expect(r'\nstill here', timeout=60)
        m.send('poweroff\n')
        while not m.over():
            m.pump(0.25)
        assert m.end == ('stopped', 'guest-shutdown'), m.end
        assert '# panic' not in m.console.text()
