# SPDX-License-Identifier: MIT
"""make figures: the figures of docs/, from the code and from runs of it.

usage: figures.py [NAME...]      draws docs/figures/NAME.svg where it is stale
       figures.py --dot NAME     prints the graph

Nothing is drawn by hand that the code could contradict: a figure names
functions, and its arrows are what their bodies say.  Each SVG carries the hash
of its graph, so a figure that the code has left behind is found without
drawing it (grade/suites/test_docs.py).
"""

import functools
import hashlib
import html
import pathlib
import re
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
TOP = HERE.parents[1]
FIGURES = TOP / 'docs/figures'
sys.path.insert(0, str(HERE.parent / 'check'))

from layers import INCLUDE, Rules  # noqa: E402
from tree import Tree, blank_comments  # noqa: E402

FONT = 'fontname="Helvetica,Arial,sans-serif"'
STYLE = f'''\tgraph [{FONT}, fontsize=13, bgcolor=white, pad=0.2];
\tnode [{FONT}, fontsize=12, shape=box, style="rounded,filled",
\t    fillcolor="#eef3f8", color="#5b7083"];
\tedge [{FONT}, fontsize=11, color="#5b7083"];
'''
TREE = Tree()


class Stale(Exception):
    """The code does not say what a figure wants to show."""


# --- reading code -----------------------------------------------------------

@functools.lru_cache(None)
def source(path):
    if path not in TREE.names:
        raise Stale(f'no file {path}')
    return blank_comments(TREE.text(path))


@functools.lru_cache(None)
def body(path, symbol):
    """Text of a C function, or of an assembly file that has the label."""
    text = source(path)
    if path.endswith('.S'):
        if not re.search(rf'^{symbol}:', text, re.M):
            raise Stale(f'no label {symbol} in {path}')
        return text
    m = re.search(rf'^{symbol}\(.*?^}}', text, re.M | re.S)
    if not m:
        raise Stale(f'no function {symbol} in {path}')
    return m[0]


@functools.lru_cache(None)
def slots_of(symbol):
    """Fields of operation tables that hold this function."""
    found = set()
    for name in TREE.files('.c', under='kern/'):
        if '/test/' not in name:
            found |= set(re.findall(rf'\.(\w+) = {symbol}\b', source(name)))
    return found


def calls(caller, callee):
    """Does one function call, or pass on, the other?"""
    text = body(*caller)
    if caller != callee and re.search(
            rf'(?<!struct )(?<!->)\b{callee[1]}\b', text):
        return True
    return any(re.search(rf'(?:ops|design)->{slot}\b', text)
               for slot in slots_of(callee[1]))


def quoted(text):
    return '"' + text.replace('"', r'\"') + '"'


# --- kinds of figures -------------------------------------------------------

def call_graph(title, columns, apart=()):
    """columns: {heading: [path:symbol...]}; arrows are the calls that the
    bodies make.  apart: (from, to) that only look so, because two kinds of
    tables have a slot of the same name."""
    places = [tuple(p.split(':')) for c in columns.values() for p in c]
    out = [f'digraph {title} {{', STYLE, '\trankdir=TB;\n\tranksep=0.35;']
    for n, (heading, names) in enumerate(columns.items()):
        out.append(f'\tsubgraph cluster{n} {{\n\t\tlabel={quoted(heading)};\n'
                   '\t\tlabeljust=l; color="#c8d2dc"; style=rounded;')
        for path, symbol in (p.split(':') for p in names):
            out.append(f'\t\t{symbol};')
            body(path, symbol)
        out.append('\t}')
    edges = [(a[1], b[1]) for a in places for b in places
             if (a[1], b[1]) not in apart and calls(a, b)]
    called = {e for edge in edges for e in edge}
    for _, symbol in places:
        if symbol not in called:
            raise Stale(f'{title}: nobody in the figure calls {symbol}')
    return '\n'.join(out + [f'\t{a} -> {b};' for a, b in edges] + ['}\n'])


def state_graph(title, states, path, edges):
    """edges: (from, to, function, word that its body must have)."""
    out = [f'digraph {title} {{', STYLE, '\trankdir=LR;\n\tnodesep=0.5;',
           *(f'\t{s};' for s in states)]
    for a, b, function, word in edges:
        if not re.search(rf'\b{word}\b', body(path, function)):
            raise Stale(f'{title}: {function} has no {word}')
        out.append(f'\t{a} -> {b} [label={quoted(" " + function + " ")}];')
    return '\n'.join(out + ['}\n'])


def table(title, groups):
    """groups: [(heading, [(left, right)...])]; one box, from top to bottom."""
    out = [f'digraph {title} {{', STYLE,
           '\tt [shape=plain, style="", label=<<table border="0" '
           'cellborder="1" cellspacing="0" cellpadding="4" color="#8a9aa8">']
    for (heading, rows), fill in zip(groups, ('#d9ead3', '#eef3f8',
                                              '#fde9c9')):
        out.append(f'<tr><td colspan="2" bgcolor="{fill}"><b>'
                   f'{html.escape(heading)}</b></td></tr>')
        out += [f'<tr><td align="left">{html.escape(a)}</td>'
                f'<td align="left">{html.escape(b) or " "}</td></tr>'
                for a, b in rows]
    return '\n'.join(out + ['</table>>];', '}\n'])


# --- the figures --------------------------------------------------------------

def layers():
    """Who includes whom, without what follows from the rest."""
    rules, edges = Rules(), set()
    for name in TREE.files('.c', '.h', '.S', under='kern/'):
        me = rules.layer(name[len('kern/'):])
        if me is None or '/test/' in name or '/host/' in name:
            continue
        for line in TREE.lines(name):
            m = INCLUDE.match(line)
            you = m and rules.layer(m[2])
            if you and you != me and f'kern/{m[2]}' in TREE.names:
                edges.add((me, you))

    def reaches(a, b, without):
        todo, seen = [a], set()
        while todo:
            at = todo.pop()
            for x, y in edges:
                if x == at and (x, y) != without and y not in seen:
                    seen.add(y)
                    todo.append(y)
        return b in seen

    needed = sorted(e for e in edges if not reaches(*e, without=e))
    nodes = sorted({x for e in needed for x in e},
                   key=lambda n: (rules.ranks[n], n))
    return '\n'.join(
        ['digraph layers {', STYLE, '\trankdir=TB;\n\tranksep=0.3;'] +
        [f'\t{quoted(n)} [label="{n.rstrip("/.")}"];' for n in nodes] +
        [f'\t{quoted(a)} -> {quoted(b)};' for a, b in needed] + ['}\n'])


def steps_of(path, symbol):
    """Functions that a body calls as statements, in its order."""
    found = re.findall(r'^\t+(?:error = |if \()?(\w+)\(', body(path, symbol),
                       re.M)
    return [s for s in dict.fromkeys(found)
            if s not in ('kprintf', 'panic', 'this_cpu')]


def boot():
    """Three columns: the calls of the three functions that are the boot."""
    parts = [('kern/arch/riscv/boot.c', 'boot_main',
              'on the boot CPU, no scheduler'),
             ('kern/main.c', 'kmain', 'on the boot CPU, as its idle thread'),
             ('kern/main.c', 'init_process', 'in the first process')]
    out = ['digraph boot {', STYLE, '\trankdir=LR;\n\tranksep=0.8;',
           '\tnode [shape=plain, style=""];']
    for path, symbol, where in parts:
        rows = steps_of(path, symbol)
        cells = ''.join(f'<tr><td port="{s}" align="left">{s}</td></tr>'
                        for s in rows)
        out.append(f'\t{symbol} [label=<<table border="0" cellborder="1" '
                   'cellspacing="0" cellpadding="4" color="#8a9aa8">'
                   f'<tr><td bgcolor="#d9ead3"><b>{symbol}</b><br/>{where}'
                   f'</td></tr>{cells}</table>>];')
    for (pa, a, _), (pb, b, _) in zip(parts, parts[1:]):
        by = [s for s in steps_of(pa, a) if s == b] or \
            [s for s in steps_of(pa, a)
             if re.search(rf'\b{s}\({b}\)', body(pa, a))]
        if not by:
            raise Stale(f'boot: {a} does not lead to {b}')
        out.append(f'\t{a}:{by[0]} -> {b};')
    return '\n'.join(out + ['}\n'])


def ranks():
    text = TREE.text('kern/sync/rank.h')
    groups = []
    for part in re.split(r'\n\t/\* (?=S)', text)[1:]:
        heading = part.partition('*/')[0].split(';')[0].strip(' .')
        rows = re.findall(r'(RANK_\w+),(?:\s*/\*(.*?)\*/)?', part, re.S)
        groups.append((heading, [
            (name, re.sub(r'\s*\n\s*\*\s*', ' ', text).strip())
            for name, text in rows]))
    if [len(g[1]) > 3 for g in groups] != [True] * 3:
        raise Stale('ranks: kern/sync/rank.h has no three groups')
    return table('ranks', groups)


def thread():
    path = 'kern/proc/sched.c'
    states = re.search(r'enum thread_state \{(.*?)\}',
                       source('kern/proc/proc.h'), re.S)[1]
    names = re.findall(r'THREAD_(\w+)', states)
    edges = [('EMBRYO', 'RUNNABLE', 'sched_start'),
             ('RUNNABLE', 'RUNNING', 'schedule'),
             ('RUNNING', 'RUNNABLE', 'sched_yield'),
             ('RUNNING', 'BLOCKED', 'sched_block_prepare'),
             ('BLOCKED', 'RUNNABLE', 'sched_wake'),
             ('BLOCKED', 'RUNNING', 'sched_block_cancel'),
             ('RUNNING', 'DEAD', 'sched_exit')]
    if set(names) != {s for e in edges for s in e[:2]}:
        raise Stale(f'thread: the states are {names}')
    return state_graph('thread', names, path,
                       [(*e, f'THREAD_{e[1]}') for e in edges])


def traps():
    return call_graph('traps', {
        'the port, assembly': ['kern/arch/riscv/trap_entry.S:trap_entry'],
        'the port, C': ['kern/arch/riscv/trap.c:trap_user',
                        'kern/arch/riscv/trap.c:user_exception',
                        'kern/arch/riscv/trap.c:trap_irq',
                        'kern/arch/riscv/trap.c:trap_kernel'],
        'the kernel': ['kern/trap.c:trap_pagefault',
                       'kern/trap.c:trap_user_exception',
                       'kern/trap.c:trap_user_work',
                       'kern/trap.c:fault_failed'],
        'below': ['kern/vm/fault.c:vm_fault',
                  'kern/proc/signal.c:signal_fault',
                  'kern/proc/sigdeliver.c:signal_deliver',
                  'kern/proc/sched.c:sched_yield',
                  'kern/proc/thread.c:thread_exit']},
        # a label of the assembly has the name of a function
        apart={('trap_entry', 'user_exception')})


def slots():
    """Which call of the VM layer reaches which slot of a design."""
    ops = re.search(r'struct vm_ops \{(.*?)\n\};',
                    source('kern/vm/vm.h'), re.S)[1]
    names = re.findall(r'\(\*(\w+)\)\(', ops)
    edges, files = [], ['space.c', 'fault.c', 'copy.c', 'pageout.c',
                        'object.c', 'invariants.c', 'design.c']
    for name in files:
        text = source(f'kern/vm/{name}')
        for m in re.finditer(r'^(\w+)\([^;]*?^\{.*?^\}', text, re.M | re.S):
            edges += [(name, m[1], slot) for slot in
                      re.findall(r'(?:ops|vm_design)->(\w+)\(', m[0])
                      if slot in names]
    called = {slot for *_, slot in edges}
    out = ['digraph slots {', STYLE,
           '\trankdir=LR;\n\tnodesep=0.08;\n\tranksep=1.6;',
           '\tnode [height=0.25, margin="0.08,0.02"];']
    for n, name in enumerate(files):
        mine = dict.fromkeys(f for file, f, _ in edges if file == name)
        if mine:
            out += [f'\tsubgraph cluster{n} {{ label={quoted(name)}; '
                    'labeljust=l; color="#c8d2dc"; style=rounded;',
                    *(f'\t\t{quoted(f)};' for f in mine), '\t}']
    out += ['\tsubgraph clusterslots { label="struct vm_ops: the design"; '
            'color="#c8d2dc"; style="rounded,filled"; fillcolor="#fbf5ea";',
            *(f'\t\t"slot {s}" [label="{s}", fillcolor='
              f'"{"#fde9c9" if s in called else "white"}"];'
              for s in names), '\t}']
    out += [f'\t{quoted(f)} -> "slot {s}";'
            for _, f, s in dict.fromkeys(edges)]
    return '\n'.join(out + ['}\n'])


def fault():
    return call_graph('fault', {
        'vm: the frame around every fault': [
            'kern/vm/fault.c:vm_fault', 'kern/vm/fault.c:attempt',
            'kern/vm/fault.c:attempt_again',
            'kern/vm/fault.c:vm_fault_retry',
            'kern/vm/fault.c:wait_for_memory'],
        'vm/classic: what it means': [
            'kern/vm/classic/classic_fault.c:classic_fault',
            'kern/vm/classic/classic_fault.c:zero_fill',
            'kern/vm/classic/classic_fault.c:fault_other',
            'kern/vm/classic/classic_fault.c:fault_empty',
            'kern/vm/classic/classic_fault.c:write_private',
            'kern/vm/classic/classic_fault.c:copy',
            'kern/vm/classic/classic_fault.c:widen',
            'kern/vm/classic/classic_fault.c:shared_fill',
            'kern/vm/classic/classic_fault.c:enter',
            'kern/vm/classic/classic_file.c:classic_file_fault',
            'kern/vm/classic/classic_swap.c:classic_swap_in'],
        'vm: page table and TLB': [
            'kern/vm/pmap.c:pmap_enter', 'kern/vm/pmap.c:pmap_change',
            'kern/vm/pmap_cpu.c:pmap_fixup',
            'kern/vm/tlb.c:tlb_gather_flush'],
        'vm: the page cache': ['kern/vm/object.c:vm_object_fill']})


def file_read():
    return call_graph('file_read', {
        'sys': ['kern/sys/sys_file.c:sys_read'],
        'proc': ['kern/proc/file.c:fd_read',
                 'kern/proc/file.c:transfer',
                 'kern/proc/file.c:transfer_page',
                 'kern/proc/file.c:transfer_batches'],
        'vm': ['kern/vm/vm.h:vm_pin', 'kern/vm/copy.c:vm_pin_page',
               'kern/vm/object.c:vm_object_get',
               'kern/vm/object.c:get_slow', 'kern/vm/object.c:fill'],
        'fs': ['kern/fs/ext2_file.c:ext2_read',
               'kern/fs/ext2_file.c:file_read_page',
               'kern/fs/ext2_file.c:read_whole'],
        'proc: block layer': ['kern/proc/block.c:block_read',
                              'kern/proc/block.c:one',
                              'kern/proc/block.c:block_start',
                              'kern/proc/block.c:block_finish',
                              'kern/proc/block.c:block_done'],
        'dev': ['kern/dev/virtio_blk.c:disk_start',
                'kern/dev/virtio_blk.c:disk_interrupt']},
        apart={('fill', 'ext2_read'), ('transfer_batches', 'file_read_page')})


def page():
    """A page of the cache: who sets and clears its flags."""
    return state_graph(
        'page', ['absent', 'BUSY', 'clean', 'MODIFIED', 'WRITEBACK'],
        'kern/vm/object.c',
        [('absent', 'BUSY', 'insert', 'PG_BUSY'),
         ('BUSY', 'clean', 'fill', 'PG_BUSY'),
         ('clean', 'BUSY', 'get_slow', 'PG_BUSY'),
         ('BUSY', 'MODIFIED', 'vm_object_put', 'PG_BUSY'),
         ('clean', 'MODIFIED', 'vm_object_modify', 'PG_MODIFIED'),
         ('MODIFIED', 'WRITEBACK', 'collect', 'PG_WRITEBACK'),
         ('WRITEBACK', 'clean', 'write_batch', 'PG_WRITEBACK'),
         ('clean', 'absent', 'reclaim', 'take_out')])


def fork():
    """From a run: see kern/vm/test/figure_main.c."""
    run = subprocess.run([str(TOP / 'build/host/figures')],
                         capture_output=True, text=True, timeout=120)
    if run.returncode != 0:
        raise Stale(f'fork: {run.stdout}{run.stderr}')
    head, *steps = re.split(r'(?=\tsubgraph)', run.stdout.removesuffix('}\n'))
    return head + STYLE + ''.join(reversed(steps)) + '}\n'     # from the top


ALL = {f.__name__: f for f in (layers, boot, ranks, thread, traps, slots,
                               fault, file_read, page, fork)}


# --- drawing ------------------------------------------------------------------

def mark(dot):
    return f'<!-- graph {hashlib.sha256(dot.encode()).hexdigest()[:16]} -->'


def stale(name, dot):
    path = FIGURES / f'{name}.svg'
    return not path.exists() or mark(dot) not in path.read_text()


def draw(name, dot):
    svg = subprocess.run(['dot', '-Tsvg'], input=dot, text=True, check=True,
                         capture_output=True).stdout
    svg = svg[svg.index('<svg'):]
    (FIGURES / f'{name}.svg').write_text(
        f'<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<!-- SPDX-License-Identifier: MIT -->\n{mark(dot)}\n{svg}')


def main():
    if sys.argv[1:2] == ['--dot']:
        print(ALL[sys.argv[2]](), end='')
        return
    if not shutil.which('dot'):
        sys.exit('figures: dot is missing (Debian package graphviz): '
                 'run `sh grade/setup.sh --docs`')
    FIGURES.mkdir(exist_ok=True)
    for name in sys.argv[1:] or ALL:
        try:
            dot = ALL[name]()
        except Stale as why:
            sys.exit(f'figures: {why}')
        if stale(name, dot):
            draw(name, dot)
            print(f'figures: docs/figures/{name}.svg')


if __name__ == '__main__':
    main()
