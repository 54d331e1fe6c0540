# SPDX-License-Identifier: MIT
"""The stopped kernel as Python sees it: symbols, lists, CPUs, page tables.

Everything here reads; nothing in the guest is changed for good.  Memory is
read through the translation of one CPU, as gdb always does.  A CPU that was
stopped in user mode or in the firmware cannot read kernel addresses, so
view() lends it supervisor mode for the time of one command.
"""

import contextlib
import struct

import gdb

from machine import MACHINES, PAGE_SIZE, TABLE

LIST_MAX = 100000           # longer: the list is broken, or being edited


def fail(text):
    """End the command with one line instead of a traceback."""
    raise gdb.GdbError(text)


def machine():
    name = gdb.selected_inferior().architecture().name()
    if name not in MACHINES:
        fail(f'these commands do not know the architecture {name} '
             '(grade/gdb/machine.py)')
    return MACHINES[name]


# --- symbols ----------------------------------------------------------------

def no_symbol(what):
    if gdb.lookup_global_symbol('kmain') is None:
        fail(f'no symbol {what}: gdb has no kernel; say '
             '`file build/ARCH/debug/tern.elf`, or start with `make gdb`')
    fail(f'no symbol {what} in this kernel: it is from another commit than '
         'grade/gdb, or was built without DEBUG=1')


def var(name, file=None):
    """A variable of the kernel; a static one by the end of its file's path."""
    symbol = None
    if file is None:
        symbol = gdb.lookup_global_symbol(name)
    else:
        for s in gdb.lookup_static_symbols(name):
            if s.symtab.filename.endswith(file):
                symbol = s
                break
    if symbol is None:
        no_symbol(name)
    return symbol.value()


def ctype(name):
    try:
        return gdb.lookup_type(name)
    except gdb.error:
        no_symbol(name)


def has_field(name, field):
    return any(f.name == field for f in ctype(name).fields())


def enum_names(name):
    """{value: NAME} of a C enum."""
    return {f.enumval: f.name for f in ctype(name).fields()}


def pointer(address, type_name):
    return gdb.Value(address).cast(ctype(type_name).pointer())


def offset_of(type_name, member):
    """Of a member, also one inside of anonymous structs and unions."""
    def find(kind):
        for f in kind.fields():
            inner = 0 if f.name == member else \
                find(f.type) if not f.name else None
            if inner is not None:
                return f.bitpos // 8 + inner
        return None

    offset = find(ctype(type_name))
    if offset is None:
        no_symbol(f'{type_name}.{member}')
    return offset


def list_of(head, type_name, member):
    """Pointers to the elements of a struct list (lib/list.h)."""
    start, off = int(head.address), offset_of(type_name, member)
    at = head['next']
    for _ in range(LIST_MAX):
        if int(at) in (start, 0):
            return
        yield pointer(int(at) - off, type_name)
        at = at['next']
    fail(f'the list of {type_name} at {start:#x} has no end: it is broken')


def tree_of(tree, type_name, member):
    """Pointers to the elements of a struct rb_tree, in order."""
    off = offset_of(type_name, member)

    def visit(node, depth):
        if int(node) == 0:
            return
        if depth > 64:
            fail(f'the tree of {type_name} is broken: deeper than 64')
        yield from visit(node['child'][0], depth + 1)
        yield pointer(int(node) - off, type_name)
        yield from visit(node['child'][1], depth + 1)
    yield from visit(tree['root'], 0)


def text(value):
    """A C string, or char array."""
    try:
        return value.string(errors='replace')
    except gdb.MemoryError:
        return '?'


def read(address, size):
    return gdb.selected_inferior().read_memory(address, size).tobytes()


def where(address):
    """'function+12' or the number."""
    block = gdb.block_for_pc(address)
    while block is not None and block.function is None:
        block = block.superblock
    if block is not None:
        off = address - block.start
        return f'{block.function.name}+{off}' if off else block.function.name
    out = gdb.execute(f'info symbol {address:#x}', to_string=True)
    return hex(address) if out.startswith('No symbol') else \
        out.split(' in section')[0].replace(' ', '')


# --- CPUs -------------------------------------------------------------------

def gdb_threads():
    """gdb's threads are the emulated CPUs, in order of hart id."""
    threads = [t for t in gdb.selected_inferior().threads() if t.is_valid()]
    if not threads:
        fail('no kernel runs here: start one with `make qemu-gdb`, then '
             '`make gdb` in another terminal')
    if any(t.is_running() for t in threads):
        fail('the kernel is running: stop it with Ctrl-C first')
    return sorted(threads, key=lambda t: t.ptid[1])


def hart_of(thread):
    return thread.ptid[1] - 1


def register(name):
    return int(gdb.parse_and_eval(f'(unsigned long)${name}'))


def paging():
    """Whether the selected CPU has a page table loaded."""
    name, shift = machine().paging
    return register(name) >> shift != 0


@contextlib.contextmanager
def selected(thread):
    """Select a CPU, and the old one and its frame afterwards."""
    before = gdb.selected_thread()
    try:
        thread.switch()
        yield thread
    finally:
        if before is not None and before.is_valid():
            before.switch()


@contextlib.contextmanager
def supervisor():
    """Lend supervisor mode to the selected CPU, where reading needs it."""
    m = machine()
    name, mask = m.mode
    mode = register(name) & mask
    foreign = m.lend is not None and mode != m.lend
    try:
        if foreign:
            gdb.execute(f'set ${name} = {m.lend}', to_string=True)
        yield m.modes.get(mode, str(mode))
    finally:
        if foreign:
            gdb.execute(f'set ${name} = {mode}', to_string=True)


@contextlib.contextmanager
def view():
    """Read kernel memory inside: through the selected CPU if it has a page
    table, else through the first one that has."""
    threads = gdb_threads()
    chosen = gdb.selected_thread()
    for t in ([chosen] if chosen else []) + threads:
        with selected(t):
            if not paging():
                continue
            with supervisor():
                try:
                    yield
                except gdb.MemoryError as why:
                    fail(f'{why}: the kernel was stopped while it changed '
                         'this, or the symbols are of another kernel')
                return
    fail('no CPU has a page table yet: the kernel has not started; '
         '`continue`, then Ctrl-C')


def cpus():
    """The struct cpu of every CPU that is online."""
    n = max(int(var('ncpu')), 1)
    return [var('cpus')[i] for i in range(n)]


def cpu_of(thread):
    """The struct cpu that a gdb thread runs, or None before it is online."""
    for c in cpus():
        if int(c['hwid']) == hart_of(thread):
            return c
    return None


def current_thread():
    """struct thread of the selected CPU, or None."""
    c = cpu_of(gdb.selected_thread())
    return c['thread'] if c is not None and int(c['thread']) else None


def cpu_names(mask):
    """'0,2' of a mask of CPUs; 'all' for every bit."""
    if mask == (1 << 64) - 1:
        return 'all'
    return ','.join(str(i) for i in range(64) if mask >> i & 1) or '-'


# --- processes and threads --------------------------------------------------

def processes():
    return list_of(var('proc_all'), 'struct proc', 'all_link')


def threads_of(proc):
    return list_of(proc['threads'], 'struct thread', 'proc_link')


def idle_threads():
    """(struct thread *, CPU) of the threads that belong to no process."""
    idle = var('idle_threads', 'sched.c')
    return [(idle[i].address, i) for i in range(len(cpus()))]


def all_threads():
    """(struct proc * or None, struct thread *, name)"""
    for p in processes():
        for t in threads_of(p):
            yield p, t, text(p['name'])
    for t, i in idle_threads():
        yield None, t, f'idle/{i}'


def thread_state(t):
    names = enum_names('enum thread_state')
    state = int(t['state'])
    return names.get(state, str(state)).replace('THREAD_', '').lower()


def process(pid):
    """struct proc by pid; None: of the selected CPU."""
    if pid is None:
        t = current_thread()
        if t is None or int(t['proc']) == 0:
            fail('this CPU runs no process (it is idle): give a PID, '
                 'see `ps`')
        return t['proc']
    for p in processes():
        if int(p['pid']) == pid:
            return p
    fail(f'no process {pid}: see `ps`')


def space_of(proc):
    vs = proc['space']
    if int(vs) == 0:
        fail(f'process {int(proc["pid"])} has no address space any more '
             '(it has exited)')
    return vs


def spaces():
    """Every address space."""
    return list_of(var('spaces', 'vm/space.c'), 'struct vmspace', 'link')


def space_owners():
    """{address of struct vmspace: 'pid 3 (sh)'}"""
    owners = {}
    for p in processes():
        if int(p['space']):
            owners[int(p['space'])] = \
                f'pid {int(p["pid"])} ({text(p["name"])})'
    return owners


# --- page tables and frames -------------------------------------------------

def table(pa):
    m = machine()
    n = 1 << m.pte.index_bits
    return struct.unpack(f'<{n}Q', read(m.direct_base + pa, 8 * n))


def walk(root, va):
    """[(level, pa of the entry, raw, kind)] from the root down."""
    m, steps, pa = machine(), [], root
    for level in range(m.pte.levels - 1, -1, -1):
        at = pa + 8 * m.pte.index(va, level)
        raw = struct.unpack('<Q', read(m.direct_base + at, 8))[0]
        kind = m.pte.kind(raw, level)
        steps.append((level, at, raw, kind))
        if kind != TABLE or level == 0:
            break
        pa = m.pte.pa(raw)
    return steps


def entries(root, sva, eva, tables=None):
    """(va, level, raw, kind) of the entries in [sva, eva) that are neither
    empty nor tables.  tables, a list, gets (pa, level, va) of each table."""
    fmt = machine().pte

    def visit(pa, level, base):
        if tables is not None:
            tables.append((pa, level, base))
        size = fmt.size(level)
        for i, raw in enumerate(table(pa)):
            va = fmt.canonical(base + i * size)
            if raw == 0 or va >= eva or va + size <= sva:
                continue
            kind = fmt.kind(raw, level)
            if kind == TABLE and level > 0:
                yield from visit(fmt.pa(raw), level - 1, va)
            else:
                yield va, level, raw, kind
    yield from visit(root, fmt.levels - 1, 0)


class Frames:
    """All of frame_array, read at once (a remote read costs a round trip)."""

    def __init__(self):
        self.base = int(var('frame_base'))
        self.n = int(var('frame_array_size'))
        self.array = var('frame_array')
        if int(self.array) == 0:
            fail('the frame allocator has not started yet')
        self.type = ctype('struct vm_page')
        self.states = {k: v.replace('FRAME_', '').lower() for k, v in
                       enum_names('enum frame_state').items()}
        self.data = None

    def index(self, pa):
        i = (pa - self.base) // PAGE_SIZE
        return i if 0 <= i < self.n else None

    def page(self, pa):
        """struct vm_page of a physical address, or None."""
        i = self.index(pa)
        return None if i is None else self.array[i]

    def pa_of(self, page_address):
        i = (page_address - int(self.array)) // self.type.sizeof
        return self.base + i * PAGE_SIZE

    def rows(self):
        """(index, state, order, flags, refs, pins) of every frame."""
        if self.data is None:
            self.data = read(int(self.array), self.n * self.type.sizeof)
        at = {f: offset_of('struct vm_page', f)
              for f in ('state', 'order', 'flags', 'holds')}
        size, unpack = self.type.sizeof, struct.unpack_from
        for i in range(self.n):
            o = i * size
            refs, pins = unpack('<II', self.data, o + at['holds'])
            yield (i, self.data[o + at['state']], self.data[o + at['order']],
                   unpack('<I', self.data, o + at['flags'])[0], refs, pins)
