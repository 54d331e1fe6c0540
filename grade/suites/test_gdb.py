# SPDX-License-Identifier: MIT
"""The gdb commands, against a running kernel with 4 CPUs.

What they print is compared with what others say: the emulator's monitor about
registers and translations, the guest's own ps about processes, and the
headers of the kernel about bits and addresses.
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys

import pytest

import postmortem
import qemu

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(TOP / 'grade/gdb'))
import machine as tables      # noqa: E402

CPUS = 4
PAGE = 4096
# Where programs begin, and what stacks show between kernel and program: the
# entry of system calls, and that of other traps.
FIRST = {'riscv': '0x10000', 'x86_64': '0x400000'}
ENTRY = {'riscv': ('trap_entry', 'trap_entry'),
         'x86_64': ('syscall_entry_point', 'trap_common')}


# --- the tables -------------------------------------------------------------

def defines(path):
    """{name: number} of the plain #defines of a header."""
    found = {}
    for name, value in re.findall(
            r'^#define\s+(\w+)\s+(?:\(\(vaddr_t\))?(0x[0-9a-f]+|\d+)(?:ull|u)?'
            r'\)?\s*(?:/\*.*)?$', (TOP / 'kern' / path).read_text(), re.M):
        found[name] = int(value, 0)
    return found


PORTS = [tables.RISCV, tables.X86_64]
each_port = pytest.mark.parametrize('m', PORTS, ids=lambda m: m.name)


@each_port
def test_bits_are_those_of_the_header(m):
    want = defines(f'arch/{m.name}/machine/pte.h')
    fmt = m.pte
    for bit in fmt.bits:
        assert want[bit.name] == bit.mask, bit.name
    assert want['PTE_LEVELS'] == fmt.levels
    assert want['PTE_INDEX_BITS'] == fmt.index_bits
    assert want['PTE_SOFT'] == fmt.soft
    assert want['PTE_ROOT_USER_ENTRIES'] == m.root_user_entries
    # every bit that the header names is in the table
    masks = {b.mask for b in fmt.bits}
    assert {v for k, v in want.items() if re.fullmatch(r'PTE_[A-Z]+', k)
            and v < 0x400 and k not in ('PTE_LEVELS', 'PTE_SOFT')} <= masks


@each_port
def test_addresses_are_those_of_the_headers(m):
    mmu = defines(f'arch/{m.name}/machine/mmu.h')
    asm = defines(f'arch/{m.name}/machine/asm.h')
    user_max = mmu.get('USER_MAX') or asm['USER_END']
    assert (user_max, mmu['IMAGE_BASE']) == (m.user_max, m.image_base)
    assert (mmu['KSTACK_BASE'], mmu['KSTACK_END']) == m.kstack
    assert (asm['DIRECT_BASE'], asm['IMAGE_OFFSET']) == \
        (m.direct_base, m.image_offset)
    assert 1 << asm['KSTACK_SHIFT'] == m.kstack_size


def test_constants_are_those_of_the_headers():
    script = (TOP / 'grade/gdb/tern.py').read_text()
    vm, frame = defines('vm/vm.h'), defines('mem/frame.h')
    want = tuple(vm[f'VM_MAP_{n}'] for n in ('SHARED', 'STACK', 'HEAP'))
    assert f'VM_SHARED, VM_STACK, VM_HEAP = {want[0]}, {want[1]}, {want[2]}' \
        in script
    flags = {frame[f'PG_{n.upper()}']: n
             for n in ('dirty', 'referenced', 'busy', 'table')}
    assert f'PG_FLAGS = {flags}' in script
    chunk = defines('vm/l4/mapdb.c')['CHUNK']
    assert f'MAPDB_CHUNK = {chunk} ' in script


@pytest.mark.parametrize('raw, level, kind, pa, access', [
    (0, 0, tables.EMPTY, 0, '---'),
    (0x20021401, 2, tables.TABLE, 0x80085000, '---'),
    (0x200218d3, 0, tables.LEAF, 0x80086000, 'r--'),
    (0x200218df, 1, tables.LEAF, 0x80086000, 'rwx'),
    (0x20021a00, 0, tables.NOACCESS, 0x80086000, '---'),
    (0x0000001e, 0, tables.SOFT, 0, 'rwx'),
])
def test_decoding(raw, level, kind, pa, access):
    fmt = tables.SV39
    assert fmt.kind(raw, level) == kind
    assert fmt.pa(raw) == pa
    assert fmt.access(raw) == access


@pytest.mark.parametrize('raw, level, kind, pa, access', [
    (0, 0, tables.EMPTY, 0, '---'),
    (0x80085027, 3, tables.TABLE, 0x80085000, None),
    (0x80000000800861e3, 1, tables.LEAF, 0x80086000, 'rw-'),
    (0x8000000080086025, 0, tables.LEAF, 0x80086000, 'r--'),
    (0x80086025, 0, tables.LEAF, 0x80086000, 'r-x'),
    (0x80000000800860a7, 0, tables.LEAF, 0x80086000, 'rw-'),
    (0x8000000080086260, 0, tables.NOACCESS, 0x80086000, '---'),
    (0x0000001e, 0, tables.SOFT, 0, '---'),
])
def test_decoding_x86_64(raw, level, kind, pa, access):
    fmt = tables.X86_PTE
    assert fmt.kind(raw, level) == kind
    assert fmt.pa(raw) == pa
    assert access is None or fmt.access(raw) == access


def test_canonical_addresses():
    fmt = tables.SV39
    assert fmt.canonical(0x4000000000) == 0xffffffc000000000
    assert fmt.canonical(0x3fffffffff) == 0x3fffffffff
    assert fmt.soft_word(0x123 << 4 | 1 << 2 | 2) == 'swap slot 0x123'


# --- the kernel -------------------------------------------------------------

class Stopped:
    """A kernel at work that can be stopped, asked, and let go again."""

    def __init__(self, machine):
        self.machine = machine
        self.arch = machine.config.arch
        self.m = next(m for m in PORTS if m.name == self.arch)
        self.path = None

    def server(self):
        """Socket of the stub; it serves one session after the other."""
        if self.path is None:
            self.path = os.path.join(self.machine.dir, 'gdb')
            self.machine.monitor(
                f'gdbserver unix:{self.path},server=on,wait=off')
        return self.path

    def stop(self):
        self.machine.pump(0.05)
        self.machine.command('stop')

    def hmp(self, line, cpu):
        return self.machine.command(
            'human-monitor-command',
            **{'command-line': line, 'cpu-index': cpu}).replace('\r', '')

    def registers(self, cpu):
        """pc, root and asid of a CPU."""
        text = self.hmp('info registers', cpu)
        regs = {k: int(v, 16) for k, v in
                re.findall(r'\b(\w+)(?:\s+|\s*=)([0-9a-f]{16})\b', text)}
        if self.arch == 'riscv':
            return {'pc': regs['pc'], 'asid': regs['satp'] >> 44 & 0xffff,
                    'root': (regs['satp'] & ((1 << 44) - 1)) << 12}
        return {'pc': regs['RIP'], 'root': regs['CR3'], 'asid': 0}

    def mappings(self, cpu):
        """{va: (pa, rights)} of the user pages that this CPU can reach."""
        pages = {}
        if self.arch == 'x86_64':
            for va, pa, nx, user, write in re.findall(
                    r'^([0-9a-f]{16}): ([0-9a-f]{16}) (.)......(.)(.)$',
                    self.hmp('info tlb', cpu), re.M):
                if user == 'U':
                    pages[int(va, 16)] = (
                        int(pa, 16), 'r' + ('w' if write == 'W' else '-') +
                        ('-' if nx == 'X' else 'x'))
            return pages
        for va, pa, size, attr in re.findall(
                r'^([0-9a-f]{16}) ([0-9a-f]{16}) ([0-9a-f]{16}) (\S+)',
                self.hmp('info mem', cpu), re.M):
            va, pa, size = (int(x, 16) for x in (va, pa, size))
            if va < self.m.user_max:
                for off in range(0, size, PAGE):
                    pages[va + off] = (pa + off, attr[:3])
        return pages

    def gdb(self, *commands, errors=False):
        """Output of each command; the guest stays stopped before it and runs
        after it."""
        cmd = postmortem.gdb_command(self.machine.config, self.server())
        cmd.append('-batch')
        for c in commands:
            cmd += ['-ex', 'echo \\n@@@\\n', '-ex', c]
        done = subprocess.run(
            cmd, capture_output=True, text=True, timeout=120,
            stdin=subprocess.DEVNULL)
        assert 'Traceback' not in done.stderr, done.stderr
        assert 'Python Exception' not in done.stderr, done.stderr
        said = '\n'.join(line for line in done.stderr.splitlines()
                         if line and not line.startswith('warning:'))
        if errors:
            return said
        assert not said
        out = done.stdout.split('\n@@@\n')[1:]
        assert len(out) == len(commands), done.stdout + done.stderr
        return out


def list_processes(machine):
    """{pid: name} as the guest's own ps says."""
    machine.send('ps\n')
    machine.expect(r'COMMAND')
    start = machine._mark
    machine.expect(r'\$ ')
    text = machine.console.data[start:].decode()
    return {int(pid): name for pid, name in
            re.findall(r'^\s*(\d+) .* (\w+)\s*$', text, re.M)
            if name != 'ps'}


@pytest.fixture(scope='module', params=qemu.TESTED)
def guest(request, tmp_path_factory):
    if not shutil.which('gdb-multiarch'):
        pytest.fail('gdb-multiarch is missing: run `sh grade/setup.sh`')
    # A copy: gdb must read the kernel that runs, whatever make does meanwhile.
    kernel = tmp_path_factory.mktemp('gdb') / 'tern.elf'
    arch = request.param
    shutil.copy(qemu.Config(arch=arch).kernel, kernel)
    config = qemu.Config(arch=arch, cpus=CPUS, name=f'gdb-{arch}',
                         silence=1000, total=1000, kernel=kernel,
                         initrd=qemu.BUILD / arch / 'root.img')
    with qemu.Machine(config) as machine:
        machine.expect(r'\$ ', timeout=60)
        for line in ('sleep 5000 &', 'sleep 5000 | cat &',
                     'stress -t 5000 -n 3 memory &'):
            machine.send(line + '\n')
            machine.expect(r'\$ ')
        stopped = Stopped(machine)
        for _ in range(20):     # until the workers of stress are there
            stopped.listed = list_processes(machine)
            if list(stopped.listed.values()).count('stress') == 4:
                break
        yield stopped


def running(guest):
    """CPUs that have a user space loaded, stopped."""
    for _ in range(20):
        guest.stop()
        found = {c: m for c in range(CPUS) if (m := guest.mappings(c))}
        if found:
            return found
        guest.machine.command('cont')
    raise AssertionError('the guest runs no program')


def test_ps_agrees_with_the_guest(guest):
    guest.stop()
    out, = guest.gdb('ps')
    rows = re.findall(r'^ *(\d+) +(\d+)  (\w+) +\d+([* ])  (\w+)(.*)$',
                      out, re.M)
    assert {int(r[0]): r[4] for r in rows} == guest.listed
    assert f'{len(guest.listed)} processes, {len(rows)} threads, ' \
        f'{CPUS} CPUs' in out
    assert len(re.findall(r'idle/\d', out)) == CPUS
    states = {r[4]: (r[2], r[5].strip()) for r in rows}
    assert states['init'] == ('blocked', 'child in proc_wait')
    assert states['sleep'][0] == 'blocked' and 'sleep' in states['sleep'][1]
    assert states['cat'][0] == 'blocked' and 'pipe' in states['cat'][1]
    assert out.count('*') == CPUS


def test_walk_agrees_with_the_emulator(guest):
    spaces = running(guest)
    asked = [(cpu, va) for cpu, pages in spaces.items()
             for va in sorted(pages)[:3] + sorted(pages)[-3:]]
    commands = []
    for cpu, va in asked:
        commands += [f'thread {cpu + 1}', f'vm pt {va:#x}']
    roots = {c: guest.registers(c)['root'] for c in spaces}
    out = guest.gdb(*commands)[1::2]
    for (cpu, va), text in zip(asked, out):
        pa, rights = spaces[cpu][va]
        assert f'va {va:#x} -> pa {pa:#x}, {rights}' in text, (cpu, text)
        assert f'root at pa {roots[cpu]:#x}' in text
        assert len(re.findall(r'^level \d', text, re.M)) == \
            guest.m.pte.levels
        region = re.search(r'region (0x\w+)-(0x\w+) ', text)
        assert int(region[1], 0) <= va < int(region[2], 0)


def test_map_counts_what_the_emulator_sees(guest):
    spaces = running(guest)
    commands = []
    for cpu in spaces:
        commands += [f'thread {cpu + 1}', 'vm map']
    for pages, text in zip(spaces.values(), guest.gdb(*commands)[1::2]):
        present = int(re.search(r'(\d+) present', text)[1])
        assert present == len(pages), text
        regions = [(int(a, 0), int(b, 0), int(n)) for a, b, n in re.findall(
            r'^ *(0x\w+) +(0x\w+)  \S+ [ps] +(\d+)/', text, re.M)]
        for sva, eva, n in regions:
            assert n == sum(sva <= va < eva for va in pages), text
        assert '[stack]' in text


def test_program_image(guest):
    """The first page of a program is its ELF header, in physical memory."""
    guest.stop()
    pid = next(p for p, n in guest.listed.items() if n == 'sleep')
    out, = guest.gdb(f'vm pt {FIRST[guest.arch]} {pid}')
    pa = int(re.search(r'^va \S+ -> pa (0x\w+)', out, re.M)[1], 0)
    guest.stop()
    assert '0x464c457f' in guest.hmp(f'xp /1wx {pa:#x}', 0)


def test_kernel_walk(guest):
    guest.stop()
    out = guest.gdb('vm pt &cpus', 'vm pt kmain', 'print/x &cpus[0]')
    va = int(re.search(r'(0x\w+)', out[2])[1], 0)
    assert f'-> pa {va - guest.m.image_offset:#x}, rw-' in out[0]
    assert ', r-x' in out[1] and 'kernel' in out[1]


def test_frames(guest):
    guest.stop()
    out, = guest.gdb('vm frames')

    def count(what):
        return int(re.search(rf'^ *(\d+)  {what}', out, re.M)[1])
    total = int(re.search(r': (\d+)$', out, re.M)[1])
    ram = int(guest.machine.config.mem.rstrip('M')) * 256
    if guest.arch == 'x86_64':
        ram -= 32           # ACPI tables at its end are not RAM
    parts = [count('reserved'), count('free, in the buddy'),
             count('free, in the caches'), count('used')]
    assert total == ram and sum(parts) == ram, out
    managed = int(re.search(r'manages (\d+)', out)[1])
    assert sum(parts[1:]) == managed
    assert count('page tables') >= 3 * len(guest.listed)


def test_frame_and_its_mappings(guest):
    """A page of the text of stress: who maps it, as the emulator sees too."""
    spaces = running(guest)
    cpu, pages = next(iter(spaces.items()))
    va, pa = next((va, pa) for va, (pa, rights) in sorted(pages.items())
                  if 'x' in rights)
    root = guest.registers(cpu)['root']
    text, table = guest.gdb(f'vm frames {pa:#x}', f'vm frames {root + 8:#x}')
    owners = re.findall(rf'pid (\d+) \(stress\): va {va:#x} leaf', text)
    refs = int(re.search(r'refs (\d+)', text)[1])
    stress = [p for p, n in guest.listed.items() if n == 'stress']
    # Those that have used it; and the page cache.
    assert owners and set(map(int, owners)) <= set(stress), text
    assert refs == len(owners) + 1, text
    loaded = [p for p in spaces.values() if p.get(va, (0,))[0] == pa]
    assert 1 <= len(loaded) <= len(owners), text
    assert 'flags table' in table and \
        f'page table of level {guest.m.pte.levels - 1}' in table


def test_tlb_agrees_with_the_registers(guest):
    running(guest)
    regs = [guest.registers(c) for c in range(CPUS)]
    stacks, out = guest.gdb('bt-all', 'tlb')
    assert 'targets=mask deliver=ipi catchup=gen' in out
    rows = {name: (int(asid), active) for asid, active, name in re.findall(
        r'^ *\d+ +\d+\|(\d+) +\d+  (\S+) .*?(pid \d+)', out, re.M)}
    harts = dict(re.findall(r'CPU (\d) \(hart (\d)\)', stacks))
    for cpu, hart in harts.items():
        loaded = re.search(rf'^CPU {cpu} has loaded: (pid \d+|kernel)', out,
                           re.M)[1]
        asid = regs[int(hart)]['asid']
        if loaded == 'kernel':
            assert asid == 0
        else:
            assert rows[loaded][0] == asid, (loaded, out)
            assert cpu in rows[loaded][1].split(','), (loaded, out)


def test_stacks(guest):
    guest.stop()
    pc = [guest.registers(c)['pc'] for c in range(CPUS)]
    out, = guest.gdb('bt-all')
    for hart in range(CPUS):
        part = out.split(f'(hart {hart})')[1]
        first = re.search(r'0x[0-9a-f]{16}', part)[0]
        assert int(first, 0) == pc[hart], out
    for pid, name in guest.listed.items():
        if name != 'stress':
            part = out.split(f'of process {pid} ({name}), blocked')[1]
            frames = re.findall(r'#\d+ +0x\w+ in (\w+) (?:at|mode)', part)
            frames = frames[:frames.index('user') + 1]
            assert frames[0] == 'schedule' and 'waitq_wait' in frames
            assert frames[-2] == ENTRY[guest.arch][0], part


def user_pc(backtrace):
    """The last line of a stack that began in user mode."""
    return re.search(r'(0x0000000000[0-9a-f]{6}) in \?\? \(\)', backtrace)[1]


def test_a_fault_and_its_locks(guest):
    """Stop inside of a fault: the stack is the path of docs/fault.md, and the
    lock is the one that vm_fault() takes."""
    guest.stop()
    out = guest.gdb('hbreak classic_fault', 'continue', 'bt', 'locks', 'ps',
                    'delete')
    path = [f for f in re.findall(r'^#\d+ +(?:0x\w+ in )?(\w+)', out[2], re.M)
            if f != 'attempt']      # a part of vm_fault()
    # trap_user() jumps to trap_pagefault() and leaves no frame
    assert path[:3] == ['classic_fault', 'vm_fault', 'trap_pagefault'], out[2]
    assert path[3:] == [ENTRY[guest.arch][1], user_pc(out[2])], out[2]
    assert re.search(r'\(stress\), running\n    space \(RANK_SPACE\) at 0x\w+ '
                     r'shared by 1', out[3]), out[3]
    assert 'stress' in out[4]


def test_interrupted_stack(guest):
    """A backtrace goes through an interrupt to what it interrupted."""
    guest.stop()
    out = guest.gdb('hbreak timer_interrupt',
                    'continue', 'bt', 'delete')[2]
    names = re.findall(r'^#\d+ +(?:0x\w+ in )?(\w+)', out, re.M)
    inlined = ('dispatch', 'other_irq')     # between the two
    assert [n for n in names if n not in inlined][:2] == \
        ['timer_interrupt', 'trap_irq'], out
    entry = ENTRY[guest.arch][1]
    assert entry in names, out
    # from user mode it ends with the program's pc, else with the boot of a
    # CPU or with the trap of the thread
    assert names[-1].startswith('0x') or names[-1] in (
        *ENTRY[guest.arch], 'boot_secondary', 'image_text_start',
        'enter_long'), out
    assert len(names) > names.index(entry) + 1, out


def test_nothing_was_changed(guest):
    """The commands lend CPUs another mode; afterwards the registers are as
    before, and the system goes on."""
    guest.stop()

    def state():
        return [guest.hmp('info registers', c) for c in range(CPUS)]
    before = state()
    session = subprocess.Popen(
        postmortem.gdb_command(guest.machine.config, guest.server()), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        session.stdin.write('ps\nbt-all\nvm map 1\nvm frames\nlocks\ntlb\n'
                            'echo at-the-end\\n\n')
        session.stdin.flush()
        for line in session.stdout:
            if 'at-the-end' in line:
                break
        assert state() == before
    finally:
        session.communicate('detach\nquit\n', timeout=20)
    guest.machine.command('cont')
    guest.machine.send('echo still here\n')
    guest.machine.expect(r'\nstill here')


@pytest.mark.parametrize('line, say', [
    ('vm pt', 'usage: vm pt VA'),
    ('vm pt 0x400000 9999', 'no process 9999'),
    ('vm pt 0x8000000000000000', 'not canonical'),
    ('vm pt nosuchname', 'nosuchname'),
    ('vm map 9999', 'no process 9999'),
    ('vm frames 0x7fffffff000', 'not RAM'),
    ('vm mapdb 0x80000000', 'boot with vm=l4'),
    ('ps 1 2', 'usage: ps'),
])
def test_errors_are_one_sentence(guest, line, say):
    guest.stop()
    text = guest.gdb(line, errors=True)
    assert say in text and len(text.strip().splitlines()) == 1, text


@pytest.mark.parametrize('arch', qemu.TESTED)
def test_mapping_tree(arch):
    """Three pagers in a row and a client: each has the page from the one
    before, and all page tables together know of nobody else."""
    config = qemu.Config(arch=arch, vm='l4', cpus=CPUS, silence=1000,
                         total=1000, name=f'gdb-l4-{arch}')
    with qemu.Machine(config) as machine:
        machine.expect(r'\$ ', timeout=60)
        machine.send('pager_chain hold &\n')
        machine.expect(r'answered by A 4, by B 4, by C 4', timeout=60)
        guest = Stopped(machine)
        guest.listed = list_processes(machine)
        pids = sorted(p for p, name in guest.listed.items()
                      if name == 'pager_chain')
        assert len(pids) == 4
        guest.stop()
        walk, = guest.gdb(f'vm pt 0x1000002000 {pids[-1]}')
        pa = re.search(r'-> pa (0x[0-9a-f]+), rw-', walk)[1]
        tree, everybody = guest.gdb(f'vm mapdb {pa}', f'vm frames {pa}')
        rows = re.findall(r'^( +)pid (\d+) \(pager_chain\): va (0x\w+) (...) ',
                          tree, re.M)
        assert [len(r[0]) for r in rows] == [2, 4, 6, 8], tree
        assert [int(r[1]) for r in rows] == pids, tree
        assert [r[2] for r in rows[1:]] == ['0x1000002000'] * 3, tree
        assert {r[3] for r in rows} == {'rw-'}, tree
        assert '4 mappings' in tree
        assert '  4 found in all page tables' in everybody, everybody


def without_kernel(arch, *args):
    cmd = ['gdb-multiarch', '-q', '-nx', '-batch', '-ex',
           f'set architecture {qemu.ARCHES[arch].gdb}', *args,
           '-ex', f'source {TOP}/grade/gdb/tern.py', '-ex', 'ps',
           '-ex', 'bt-all', '-ex', 'vm frames']
    return subprocess.run(cmd, capture_output=True, text=True, timeout=60,
                          stdin=subprocess.DEVNULL).stderr


@pytest.mark.parametrize('arch', qemu.TESTED)
def test_no_kernel_runs(arch):
    text = without_kernel(arch)
    assert text.count('no kernel runs here: start one with `make qemu-gdb`') \
        == 3, text


def test_no_symbols(guest):
    """Attached, but gdb was not told which kernel it is."""
    guest.stop()
    text = without_kernel(guest.arch, '-ex',
                          f'target remote {guest.server()}')
    assert text.count('gdb has no kernel; say `file build/') == 3, text


@pytest.mark.parametrize('arch', qemu.TESTED)
def test_before_the_kernel_has_started(arch):
    """All CPUs at their reset vector: no page table yet."""
    machine = qemu.Machine(qemu.Config(arch=arch, cpus=2,
                                       name=f'gdb-reset-{arch}'))
    plain = machine.command
    machine.command = lambda name, *a, **k: \
        None if name == 'cont' else plain(name, *a, **k)
    with machine:
        text = Stopped(machine).gdb('ps', 'bt-all', errors=True)
        assert text.count('no CPU has a page table yet') == 2, text
