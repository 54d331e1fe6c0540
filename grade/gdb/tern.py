# SPDX-License-Identifier: MIT
"""gdb commands for Tern; `make gdb` loads them into gdb-multiarch.

  ps                  processes and threads, and what the blocked wait for
  vm map [PID]        regions of an address space
  vm pt VA [PID]      the page-table walk for one address, level by level
  vm frames [PA]      frames by state; or one frame and everybody who maps it
  vm mapdb PA         L4: who has a frame from whom
  tlb                 page tables on CPUs: generations, masks, ASIDs
  bt-all              stack of every CPU and of every blocked thread
  locks               locks held by each thread (DEBUG builds)

Without a PID the process of the selected CPU is meant (gdb: `thread N`).
The commands only read.  How to use them: docs/howto/debug.md.
"""

import os
import sys

import gdb

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import kernel           # noqa: E402  (the path had to be set)
import stacks           # noqa: E402
from kernel import fail, text, var          # noqa: E402
from machine import LEAF, NOACCESS, PAGE_SIZE, SOFT, TABLE      # noqa: E402

COMMANDS = []


def command(name, prefix=False):
    """Make a gdb command of a function that takes the words typed."""
    def register(function):
        class Command(gdb.Command):
            __doc__ = function.__doc__

            def __init__(self):
                super().__init__(name, gdb.COMMAND_DATA, gdb.COMPLETE_NONE,
                                 prefix)

            def invoke(self, argument, from_tty):
                words = gdb.string_to_argv(argument)
                if prefix:
                    gdb.write(f'{name} needs a subcommand: help {name}\n')
                    return
                gdb_state = gdb.selected_thread()
                with kernel.view():
                    for line in function(words):
                        gdb.write(line + '\n')
                if gdb_state is not None and gdb_state.is_valid():
                    gdb_state.switch()
        Command()
        COMMANDS.append(name)
        return function
    return register


def number(word, what):
    """A number, or any expression of gdb that has a value."""
    try:
        return int(word, 0)
    except ValueError:
        pass
    try:
        value = gdb.parse_and_eval(word)
        if value.type.code == gdb.TYPE_CODE_FUNC:
            value = value.address
        return int(value) & ((1 << 64) - 1)
    except (gdb.error, gdb.MemoryError) as why:
        fail(f'{what} {word}: {why}')


def arguments(words, usage, least, most):
    if not least <= len(words) <= most:
        fail(f'usage: {usage}')
    return words + [None] * (most - len(words))


def pid_of(word):
    return None if word is None else number(word, 'PID')


# --- ps ---------------------------------------------------------------------

@command('ps')
def ps(words):
    """List processes and threads: ps

CPU is where a thread runs (with a star) or ran last.  WAIT of a blocked
thread is the wait queue (DEBUG builds only) and the function that waits."""
    arguments(words, 'ps', 0, 0)
    running = {int(c['thread']) for c in kernel.cpus()}
    yield '  PID   TID  STATE     CPU  NAME              WAIT'
    nproc = nthread = 0
    for p in kernel.processes():
        nproc += 1
        pid, name = int(p['pid']), text(p['name'])
        if bool(p['zombie']):
            yield f'{pid:5}     -  zombie      -  {name:16}  ' \
                'wait4 of its parent'
        for t in kernel.threads_of(p):
            nthread += 1
            yield thread_row(t, f'{pid:5}', name, running)
    for t, i in kernel.idle_threads():
        yield thread_row(t, '    -', f'idle/{i}', running)
    yield f'{nproc} processes, {nthread} threads, ' \
        f'{len(kernel.cpus())} CPUs'


def thread_row(t, pid, name, running):
    state = kernel.thread_state(t)
    star = '*' if int(t) in running else ' '
    wait = ''
    if state == 'blocked' and int(t) not in running and not int(t['on_cpu']):
        wait = stacks.waits_for(t)
    tid = int(t['tid']) if pid.strip() != '-' else '-'
    return (f'{pid}  {tid:>4}  {state:8}  {int(t["cpu"]):2}{star}  '
            f'{name:16}  {wait}').rstrip()


# --- vm map -----------------------------------------------------------------

VM_SHARED, VM_STACK, VM_HEAP = 4, 8, 16      # VM_MAP_* of vm/vm.h


@command('vm', prefix=True)
def vm(words):
    """Look at virtual memory: vm map [PID], vm pt VA [PID], vm frames [PA],
vm mapdb PA"""


def prot_text(prot):
    return ''.join(c if prot >> i & 1 else '-' for i, c in enumerate('rwx'))


def regions_of(vs):
    """(sva, eva, rights, kind, source) from the tree: vm/region.h."""
    source = {k: v.replace('VM_', '').lower()
              for k, v in kernel.enum_names('enum vm_source').items()}
    for r in kernel.tree_of(vs['regions']['tree'], 'struct region', 'node'):
        flags, what = int(r['flags']), source[int(r['source'])]
        if what == 'phys':
            what += f' {int(r["offset"]):#x}'
        elif int(r['store']):
            what += f' store {int(r["store"]):#x}+{int(r["offset"]):#x}'
        if flags & VM_STACK:
            what += ' [stack]'
        if flags & VM_HEAP:
            what += ' [heap]'
        yield (int(r['node']['key']), int(r['eva']),
               f'{prot_text(int(r["prot"]))}/{prot_text(int(r["maxprot"]))} '
               f'{"s" if flags & VM_SHARED else "p"}', what)


def object_text(o):
    """One object of a chain."""
    if int(o['file']):
        return f'file {int(o["file"]):#x}'
    return f'object {int(o):#x} ({int(o["nresident"])} of ' \
        f'{int(o["npages"])} pages, refs {int(o["refs"])})'


def mach_regions(vs):
    """(sva, eva, rights, kind, source) from the tree; source: the chain."""
    vmap = vs['priv'].cast(kernel.ctype('struct vm_map').pointer())
    for e in kernel.tree_of(vmap['tree'], 'struct vm_map_entry', 'node'):
        flags, o, chain = int(e['flags']), e['object'], []
        while int(o):
            chain.append(object_text(o))
            o = o['shadow']
        what = ' -> '.join(chain) or 'untouched'
        if int(e['needs_copy']):
            what += ' needs_copy'
        if flags & VM_STACK:
            what += ' [stack]'
        if flags & VM_HEAP:
            what += ' [heap]'
        yield (int(e['node']['key']), int(e['eva']),
               f'{prot_text(int(e["prot"]))}/{prot_text(int(e["maxprot"]))} '
               f'{"s" if flags & VM_SHARED else "p"}', what)


DESIGNS = {'classic': regions_of, 'mach': mach_regions, 'l4': regions_of}


@command('vm map')
def vm_map(words):
    """List the regions of an address space: vm map [PID]

Rights are now/at most, then p(rivate) or s(hared); PAGES counts the pages
that have a page-table entry, of those that the region spans."""
    word, = arguments(words, 'vm map [PID]', 0, 1)
    p = kernel.process(pid_of(word))
    vs = kernel.space_of(p)
    design = text(vs['ops']['name'])
    if design not in DESIGNS:
        fail(f'vm map does not know the regions of the design {design} '
             '(DESIGNS in grade/gdb/tern.py)')
    yield f'process {int(p["pid"])} ({text(p["name"])}), design {design}'
    yield f'{"START":>14} {"END":>14}  RIGHTS       PAGES  SOURCE'
    root, total = int(vs['pmap']['root']), 0
    for sva, eva, rights, source in DESIGNS[design](vs):
        there = sum(kind in (LEAF, NOACCESS) for _, _, _, kind in
                    kernel.entries(root, sva, eva))
        total += there
        pages = f'{there}/{(eva - sva) // PAGE_SIZE}'
        yield f'{sva:#14x} {eva:#14x}  {rights} {pages:>9}  {source}'
    yield f'{int(vs["size_bytes"]) // PAGE_SIZE} pages mapped, {total} ' \
        f'present, {int(vs["pmap"]["ntables"])} page tables'


# --- vm pt ------------------------------------------------------------------

def level_line(level, at, raw, kind):
    fmt = kernel.machine().pte
    index = at % PAGE_SIZE // 8
    line = f'level {level}: entry {index:3} at pa {at:#x} = {raw:#018x}  {kind}'
    if kind == SOFT:
        return f'{line}: {fmt.soft_word(raw)}'
    if kind in (TABLE, LEAF, NOACCESS):
        return f'{line} -> pa {fmt.pa(raw):#x}  [{fmt.names(raw)}]'
    return line


def describe_va(va, pid):
    """(title, root, struct vmspace or None) of the table that maps va."""
    m = kernel.machine()
    if va >= m.user_max:
        return 'kernel', int(var('pmap_kernel')['root']), None
    p = kernel.process(pid)
    vs = kernel.space_of(p)
    return (f'process {int(p["pid"])} ({text(p["name"])})',
            int(vs['pmap']['root']), vs)


@command('vm pt')
def vm_pt(words):
    """Walk the page table for one address: vm pt VA [PID]

Shows the entry of each level with its bits, the physical address, the frame
behind it, and the region that covers a user address.  VA may be any expression;
kernel addresses need no PID.  Addresses that cannot be translated by any table
(not canonical) are refused."""
    word, pid = arguments(words, 'vm pt VA [PID]', 1, 2)
    va, fmt = number(word, 'address'), kernel.machine().pte
    if fmt.canonical(va) != va:
        fail(f'{va:#x} is not canonical: the hardware faults on it without '
             'a look at the tables')
    title, root, vs = describe_va(va, pid_of(pid))
    yield f'{title}, va {va:#x}, root at pa {root:#x}'
    steps = kernel.walk(root, va)
    for step in steps:
        yield level_line(*step)
    level, _, raw, kind = steps[-1]
    if kind in (LEAF, NOACCESS):
        for line in fmt.explain(raw):
            yield f'         {line}'
    if kind == LEAF:
        pa = fmt.pa(raw) + va % fmt.size(level)
        yield f'va {va:#x} -> pa {pa:#x}, {fmt.access(raw)}, page of ' \
            f'{fmt.size(level):#x} bytes'
    else:
        yield f'va {va:#x}: no translation, the hardware faults'
    if kind in (LEAF, NOACCESS):
        yield frame_line(fmt.pa(raw) + va % fmt.size(level))
    if vs is not None:
        yield region_line(vs, va)


def region_line(vs, va):
    design = text(vs['ops']['name'])
    if design not in DESIGNS:
        return ''
    for sva, eva, rights, source in DESIGNS[design](vs):
        if sva <= va < eva:
            return f'region {sva:#x}-{eva:#x} {rights} {source}'
    return 'no region: an access is a SIGSEGV'


def frame_line(pa):
    pa &= ~(PAGE_SIZE - 1)
    pg = kernel.Frames().page(pa)
    if pg is None:
        return f'frame {pa:#x}: not RAM (a device)'
    return f'frame {pa:#x}: {frame_text(pg)}'


# --- vm frames --------------------------------------------------------------

PG_FLAGS = {1: 'dirty', 2: 'referenced', 4: 'busy', 8: 'table'}
PG_TABLE = 8                                # PG_* of mem/frame.h


def frame_text(pg):
    states = kernel.enum_names('enum frame_state')
    state = states[int(pg['state'])].replace('FRAME_', '').lower()
    flags = [n for bit, n in PG_FLAGS.items() if int(pg['flags']) & bit]
    line = f'{state}, refs {int(pg["refs"])}, pins {int(pg["pins"])} ' \
        f'({int(pg["wpins"])} to write), flags {" ".join(flags) or "none"}'
    if int(pg['owner']):
        line += f', owner {int(pg["owner"]):#x}+{int(pg["offset"]):#x}'
    return line


def chain_of(chain):
    """Addresses of the struct vm_page in a struct chain (mem/frame.c)."""
    at, off = int(chain['head']), kernel.offset_of('struct vm_page', 'link')
    for _ in range(int(chain['n'])):
        yield at
        at = int(kernel.pointer(at, 'struct vm_page')['link']['next']) - off


def free_in_caches():
    """(address of struct vm_page, where) of free frames outside of the buddy
    lists."""
    caches = var('caches', 'mem/frame.c')
    for c in range(len(kernel.cpus())):
        for name in ('open', 'spare'):
            for page in chain_of(caches[c][name]):
                yield page, f'in the cache of free frames of CPU {c}'
    depot = var('depot', 'mem/frame.c')
    for i in range(int(var('ndepot', 'mem/frame.c'))):
        for page in chain_of(depot[i]):
            yield page, 'in the depot of free frames'


def zero_tables():
    caches = var('caches', 'vm/pmap_table.c')
    for c in range(len(kernel.cpus())):
        for i in range(int(caches[c]['n'])):
            yield int(caches[c]['page'][i]), \
                f'in the cache of zero page tables of CPU {c}'


@command('vm frames')
def vm_frames(words):
    """Frames of physical memory: vm frames [PA]

Without an argument: how many frames are in which state.  With the physical
address of a frame (or of any byte in it): its struct vm_page, and every entry
of every page table that names it."""
    word, = arguments(words, 'vm frames [PA]', 0, 1)
    if word is None:
        return count_frames()
    return one_frame(number(word, 'address') & ~(PAGE_SIZE - 1))


def count_frames():
    frames = kernel.Frames()
    free = used = reserved = tables = pinned = shared = 0
    names = {v: k for k, v in frames.states.items()}
    skip = 0
    for i, state, order, flags, refs, pins in frames.rows():
        if i < skip:
            continue                # inside of a free block: stale words
        if state == names['free']:
            free += 1 << order
            skip = i + (1 << order)
        elif state == names['reserved']:
            reserved += 1
        else:
            used += 1
            tables += bool(flags & PG_TABLE)
            pinned += pins > 0
            shared += refs > 1
    caches = len(list(free_in_caches()))
    zeroed = len(list(zero_tables()))
    yield f'frames of {PAGE_SIZE} bytes from pa {frames.base:#x}: {frames.n}'
    yield f'{reserved:8}  reserved: firmware, kernel image, RAM disk, ' \
        'frame array, holes'
    yield f'{free:8}  free, in the buddy lists'
    yield f'{caches:8}  free, in the caches of the CPUs'
    yield f'{used - caches:8}  used, of these'
    yield f'{tables:12}  page tables of user spaces and stores'
    yield f'{zeroed:12}  zero page tables kept for reuse'
    yield f'{shared:12}  with more than one reference'
    yield f'{pinned:12}  pinned by kernel accesses'
    yield f'{"":8}  the allocator manages {int(var("total", "mem/frame.c"))}'


def one_frame(pa):
    frames = kernel.Frames()
    pg = frames.page(pa)
    if pg is None:
        end = frames.base + frames.n * PAGE_SIZE
        fail(f'{pa:#x} is not RAM: frames are {frames.base:#x}-{end:#x}')
    yield f'frame {pa:#x}: {frame_text(pg)}'
    if kernel.has_field('struct vm_page', 'stale_pmap') and \
            int(pg['stale_pmap']):
        yield f'  left pmap {int(pg["stale_pmap"])}; free for reuse when ' \
            f'its CPUs have flushed generation {int(pg["stale_gen"])}'
    for address, where in [*free_in_caches(), *zero_tables()]:
        if address == int(pg.address):
            yield '  ' + where
    yield from slab_line(pa)
    n = 0
    for line in mappings_of(pa):
        n += 1
        yield '  ' + line
    yield f'  {n} found in all page tables'


def slab_line(pa):
    """If the frame starts with the header of a slab (mem/kmem.c)."""
    slab = kernel.pointer(kernel.machine().direct_base + pa,
                          'struct kmem_slab')
    for cache in kernel.list_of(var('all_caches', 'mem/kmem.c'),
                                'struct kmem_cache', 'caches'):
        if int(slab['cache']) == int(cache):
            yield f'  slab of {text(cache["name"])}: {int(slab["nused"])} ' \
                f'of {int(cache["per_slab"])} objects of ' \
                f'{int(cache["size"])} bytes taken'


def all_tables():
    """(name, root, sva, eva) of every page table: spaces, stores, kernel."""
    m, owners = kernel.machine(), kernel.space_owners()
    for vs in kernel.spaces():
        name = owners.get(int(vs), f'space {int(vs):#x}')
        yield name, int(vs['pmap']['root']), 0, m.user_max
    if text(var('vm_design')['name']) == 'classic':
        for st in kernel.list_of(var('stores', 'classic/store.c'),
                                 'struct classic_store', 'link'):
            yield f'store {int(st):#x}', int(st['table']['root']), 0, \
                1 << 64
    yield 'kernel', int(var('pmap_kernel')['root']), m.kstack[0], 1 << 64


def mappings_of(pa):
    fmt = kernel.machine().pte
    for name, root, sva, eva in all_tables():
        tables = []
        for va, level, raw, kind in kernel.entries(root, sva, eva, tables):
            if kind in (LEAF, NOACCESS) and \
                    fmt.pa(raw) <= pa < fmt.pa(raw) + fmt.size(level):
                yield f'{name}: va {va + pa - fmt.pa(raw):#x} {kind} ' \
                    f'[{fmt.names(raw)}]'
        for at, level, base in tables:
            if at == pa:
                yield f'{name}: page table of level {level} for va {base:#x}'


MAPDB_CHUNK = 65536     # CHUNK in vm/l4/mapdb.c


@command('vm mapdb')
def vm_mapdb(words):
    """The mapping database of the L4 design for one frame: vm mapdb PA

Each mapping below the one that it came from, in preorder: the space, the
address, and what its page-table entry permits.  Sigma0 has every frame and is
not listed."""
    word, = arguments(words, 'vm mapdb PA', 1, 1)
    pa = number(word, 'address') & ~(PAGE_SIZE - 1)
    if text(var('vm_design')['name']) != 'l4':
        fail('the mapping database is the L4 design\'s: boot with vm=l4')
    frames = kernel.Frames()
    i = frames.index(pa)
    if i is None:
        fail(f'{pa:#x} is not RAM')
    tree = var('chunks', 'l4/mapdb.c')[i // MAPDB_CHUNK][i % MAPDB_CHUNK]
    yield f'frame {pa:#x}: {frame_text(frames.page(pa))}'
    owners, n, node = kernel.space_owners(), 0, tree['first']
    while int(node) and n < kernel.LIST_MAX:
        yield mapping_line(node, pa, owners)
        n += 1
        node = node['next']
    yield f'{n} mappings'


def mapping_line(node, pa, owners):
    fmt = kernel.machine().pte
    vs, place = node['space'], int(node['place'])
    va, depth = place & ~(PAGE_SIZE - 1), place & (PAGE_SIZE - 1)
    name = owners.get(int(vs), f'space {int(vs):#x}')
    raw, kind = kernel.walk(int(vs['pmap']['root']), va)[-1][2:]
    rights = fmt.access(raw) if kind == LEAF and fmt.pa(raw) == pa else \
        'its entry is another\'s'
    return f'{"  " * depth}{name}: va {va:#x} {rights} [{fmt.names(raw)}]'


# --- tlb --------------------------------------------------------------------

def policy_text():
    policy, words = var('tlb_policy'), []
    for field, prefix in (('targets', 'TLB_TARGETS_'),
                          ('deliver', 'TLB_DELIVER_'),
                          ('catchup', 'TLB_CATCHUP_')):
        names = kernel.enum_names(f'enum tlb_{field}')
        words.append(f'{field}='
                     f'{names[int(policy[field])].replace(prefix, "").lower()}')
    return ' '.join(words)


@command('tlb')
def tlb(words):
    """Page tables on the CPUs: tlb

ASID is generation|number.  A space's generation counts the flushes that took something away; a CPU is
behind (marked <) when it has not carried out the last one.  That is harmless
while the CPU is not in the mask ACTIVE: it catches up when it joins."""
    arguments(words, 'tlb', 0, 0)
    yield policy_text()
    owners = kernel.space_owners()
    yield 'PMAP      ASID    GEN  ACTIVE   CPU GENERATIONS           OWNER'
    ids = {int(var('pmap_kernel').address): 'kernel'}
    yield pmap_row(var('pmap_kernel'), 'kernel')
    for vs in kernel.spaces():
        pm = vs['pmap']
        name = owners.get(int(vs), f'space {int(vs):#x}')
        ids[int(pm)] = name
        yield pmap_row(pm.dereference(), name)
    for c in kernel.cpus():
        pm = int(c['pmap'])
        yield f'CPU {int(c["id"])} has loaded: ' \
            f'{ids.get(pm, hex(pm)) if pm else "kernel"}'
    yield from pending_shootdowns()


def pmap_row(pm, name):
    gen = int(pm['gen'])
    active = int(pm['active'])
    asid = int(pm['asid'])
    gens = ''
    for i in range(len(kernel.cpus())):
        g = int(pm['cpu_gen'][i])
        gens += f' {g}{"<" if g < gen else ""}'
    stale = int(pm["icache_stale"]) & ((1 << len(kernel.cpus())) - 1)
    more = f'; must sync fetches: CPU {kernel.cpu_names(stale)}' \
        if stale and name != 'kernel' else ''
    return f'{int(pm["id"]):4}  {asid >> 16:>3}|{asid & 0xffff:<5}' \
        f'{gen:5}  {kernel.cpu_names(active):8}{gens:26} {name}{more}'


def pending_shootdowns():
    requests, inbox = var('requests', 'vm/tlb.c'), var('inbox', 'vm/tlb.c')
    for i in range(len(kernel.cpus())):
        waiting = int(requests[i]['waiting'])
        if waiting:
            yield f'CPU {i} waits for an answer of CPU ' \
                f'{kernel.cpu_names(waiting)}'
        asked = int(inbox[i]['initiators'])
        if asked:
            yield f'CPU {i} has not yet looked at the request of CPU ' \
                f'{kernel.cpu_names(asked)}'


# --- bt-all -----------------------------------------------------------------

@command('bt-all')
def bt_all(words):
    """Stack of every CPU and of every blocked thread: bt-all

Stacks of CPUs go through traps to what was interrupted.  Those of blocked
threads start where they gave the CPU away."""
    arguments(words, 'bt-all', 0, 0)
    on_cpu = set()
    for t in kernel.gdb_threads():
        c = kernel.cpu_of(t)
        if c is not None:
            on_cpu.add(int(c['thread']))
        with kernel.selected(t):
            yield from cpu_stack(t, c)
    for p, t, name in kernel.all_threads():
        if p is None or int(t) in on_cpu or int(t['on_cpu']):
            continue
        yield who_row(p, t, name)
        with stacks.thread_frames(t) as (_, lines):
            pass
        yield from lines


def cpu_stack(thread, c):
    """Of one emulated CPU, already selected (perhaps with another mode)."""
    title = f'hart {kernel.hart_of(thread)}'
    if not kernel.paging():
        yield f'{title}: in the firmware, pc {kernel.register("pc"):#x}'
        return
    with kernel.supervisor() as mode:
        if c is not None:
            title = f'CPU {int(c["id"])} ({title})'
        if c is not None and int(c['thread']):
            title += ', ' + who(c['thread'])
        yield f'{title}: {mode} mode'
        if mode == 'user':
            yield f'    pc {kernel.register("pc"):#018x} ' \
                f'sp {kernel.register("sp"):#018x}'
        elif mode == 'firmware':
            yield '    called from ' + \
                kernel.where(kernel.register('mepc') & ((1 << 64) - 1))
        else:
            gdb.invalidate_cached_frames()
            lines = []
            stacks.frames_of(None, lines)
            yield from lines


def who(t):
    if int(t['proc']) == 0:
        return 'idle'
    return f'thread {int(t["tid"])} of process {int(t["proc"]["pid"])} ' \
        f'({text(t["proc"]["name"])})'


# --- locks ------------------------------------------------------------------

# Of sync/rank.h; one lock of RANK_PIPE is a spin lock.
SLEEP_RANKS = ('RANK_FS', 'RANK_PIPE', 'RANK_INODE', 'RANK_BUF', 'RANK_PROC',
               'RANK_SPACE_LIST', 'RANK_SPACE', 'RANK_OBJECT')


@command('locks')
def locks(words):
    """Locks that are held: locks    (DEBUG builds record them)

One line a lock, in the order in which they were taken: name, rank, and for
sleep locks who holds it exclusively and how many wait."""
    arguments(words, 'locks', 0, 0)
    if not kernel.has_field('struct thread', 'locks'):
        fail('this kernel does not record locks: build with DEBUG=1')
    ranks, none = kernel.enum_names('enum lock_rank'), True
    sets = [(who_row(p, t, name), t['locks'])
            for p, t, name in kernel.all_threads()]
    irq = var('irq_locks', 'trap.c')
    sets += [(f'interrupt on CPU {i}', irq[i])
             for i in range(len(kernel.cpus()))]
    for title, held in sets:
        if int(held['n']) == 0:
            continue
        none = False
        yield title
        for i in range(int(held['n'])):
            yield '    ' + lock_text(held['held'][i], ranks)
    if none:
        yield 'no lock is held'


def who_row(p, t, name):
    state = kernel.thread_state(t)
    if p is None:
        return f'{name}, {state}'
    return f'thread {int(t["tid"])} of process {int(p["pid"])} ({name}), ' \
        f'{state}'


def lock_text(held, ranks):
    rank = int(held['rank'])
    name = ranks.get(rank, str(rank))
    line = f'{text(held["name"])} ({name}) at {int(held["lock"]):#x}'
    lock = kernel.pointer(int(held['lock']), 'struct sleeplock')
    # A spin lock at that place has its name elsewhere.
    if name not in SLEEP_RANKS or int(lock['name']) != int(held['name']):
        return line
    state, waiting = int(lock['state']), int(lock['wq']['nwaiting'])
    how = 'exclusive' if state >> 63 else f'shared by {state & 0xffff}'
    return f'{line} {how}' + (f', {waiting} wait' if waiting else '')


stacks.install()
gdb.write('Tern: ' + ', '.join(c for c in COMMANDS if c != 'vm') +
          ' (help NAME)\n')
