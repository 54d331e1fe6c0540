# SPDX-License-Identifier: MIT
"""Which boots prove the system, and the full matrix of them.

A test group (`/bin/ktest --list`) is one boot.  `make test` runs rows chosen
so that every pair of values of two axes meets at least once, the group being
an axis.  `make test-all` runs each group on each machine (design, CPUs, build,
lane) with the default policy, the groups that shoot down translations under
each policy too, and the pairs; it goes on where it stopped as long as kernel
and root image are the same.

usage: matrix.py [--limit N] [--jobs N] [--only WORD...]      the full matrix
       matrix.py --list                                       the chosen rows
"""

import argparse
import concurrent.futures
import hashlib
import itertools
import json
import os
import pathlib
import re
import subprocess
import sys

import qemu

# Every group of the in-OS runner, with the seconds it may take in the slowest
# lane.  test_os.py compares the names with `/bin/ktest --list`.
GROUPS = {
    'proc': 240, 'pipe': 180, 'mem': 240, 'cow': 240, 'thread': 240,
    'sig': 180, 'file': 180, 'badcall': 300, 'elf': 240, 'fp': 180,
    'job': 240, 'tty': 180, 'edit': 240, 'time': 180, 'tlb': 300, 'al': 240, 'shell': 240, 'glibc': 180,
    'machine': 240, 'oom': 300,
    'conformance': 300, 'write': 300, 'fmap': 300, 'swap': 300, 'mach': 180,
    'l4': 240, 'sweep': 300, 'nth': 300, 'secret': 300, 'half': 240,
}

# Groups of which one design alone can run anything.
NEEDS = {'mach': 'mach'}

# Those that run with little memory and a swap device.
SWAPS = ['swap', 'secret']

# Those that unmap, protect or copy what other CPUs use.
SHOOTING = ['cow', 'thread', 'tlb', 'al', 'l4', 'conformance']

AXES = {
    'group': list(GROUPS),
    'arch': qemu.TESTED,
    'vm': ['classic', 'mach', 'l4'],
    'cpus': [1, 2, 4, 8],
    'debug': [True, False],
    'lane': ['mttcg', 'icount'],
    'tlb.targets': ['mask', 'all'],
    'tlb.deliver': ['ipi', 'sbi'] if 'riscv' in qemu.TESTED else ['ipi'],
    'tlb.catchup': ['gen', 'eager', 'tick'],
}
# What ext2 prints of damage, with the value that was wrong.
HARM = re.compile(r'^ext2: \w+: .* \(0x[0-9a-f]+\)', re.M)
SAVE = qemu.BUILD / 'matrix.json'


def possible(row):
    """Combinations that cannot exist: remote fences by firmware are RISC-V's;
    and while OpenSBI waits for the other CPUs it spins without yielding, which
    under -icount (one CPU at a time) lasts for ever.  And only Mach has Mach's
    calls."""
    need = NEEDS.get(row.get('group'))
    if need and row.get('vm', need) != need:
        return False
    return not (row.get('tlb.deliver') == 'sbi' and
                (row.get('arch') not in (None, 'riscv') or
                 (row.get('lane') == 'icount' and row.get('cpus', 1) > 1)))


def pairs_of(row):
    return set(itertools.combinations(sorted(row.items(), key=str), 2))


def pairwise(axes=None):
    """A small list of rows in which every pair of values occurs: greedy, and
    the same every time."""
    axes = axes or AXES
    names = list(axes)
    todo = {p for a, b in itertools.combinations(names, 2)
            for x in axes[a] for y in axes[b]
            if possible({a: x, b: y}) for p in pairs_of({a: x, b: y})}
    rows = []
    while todo:
        row = dict(min(todo, key=str))
        for name in names:
            if name in row:
                continue
            choices = [{**row, name: v} for v in axes[name]
                       if possible({**row, name: v})]
            row = max(choices, key=lambda r: len(pairs_of(r) & todo))
        todo -= pairs_of(row)
        rows.append({n: row[n] for n in names})
    return rows


def product(axes=None):
    axes = axes or AXES
    rows = (dict(zip(axes, values)) for values in
            itertools.product(*axes.values()))
    return [r for r in rows if possible(r)]


def full():
    """Every row of `make test-all`.  A policy changes how translations are
    invalidated and nothing else: groups that do not share or change memory
    between CPUs would only repeat themselves under each of them."""
    machines = {k: v[:1] if k.startswith('tlb.') else v
                for k, v in AXES.items()}
    policies = {**AXES, 'group': SHOOTING, 'cpus': [1, 4], 'debug': [True]}
    rows = product(machines) + product(policies) + pairwise()
    return list({name_of(r): r for r in rows}.values())


def name_of(row):
    mode = 'debug' if row['debug'] else 'release'
    return '-'.join([row['group'], row['arch'], row['vm'],
                     f"{row['cpus']}cpu", mode, row['lane'],
                     row['tlb.targets'], row['tlb.deliver'],
                     row['tlb.catchup']])


def config_of(row):
    args = {k: v for k, v in row.items() if k.startswith('tlb.')}
    args['test'] = row['group']
    more = {}
    if row['group'] in SWAPS:      # little memory, and where to put it
        args.update(ram1='18m', swap='ram1')
        more['mem'] = '48M'
    return qemu.Config(
        arch=row['arch'], vm=row['vm'], cpus=row['cpus'], debug=row['debug'],
        lane=row['lane'], args=args, name=name_of(row),
        # a fork bomb in the slow lane says nothing for a minute
        silence=180 if row['lane'] == 'icount' else 60,
        total=GROUPS.get(row['group'], 240), **more)


def listed_groups(arch):
    """What the runner itself says, asked under user-mode emulation."""
    root = qemu.BUILD / arch / 'root'
    ktest = root / 'bin' / 'ktest'
    cmd = {'riscv': ['qemu-riscv64'], 'x86_64': ['qemu-x86_64']}[arch]
    cmd = [] if arch == os.uname().machine else cmd + ['-L', str(root)]
    out = subprocess.run(cmd + [str(ktest), '--list'], text=True, timeout=30,
                         stdout=subprocess.PIPE, check=True).stdout
    return [line.split()[0] for line in out.splitlines() if line.strip()]


def stamp(row):
    """Changes when what is booted changes."""
    config, digest = config_of(row), hashlib.sha256()
    for path in (config.kernel, config.initrd):
        digest.update(pathlib.Path(path).read_bytes())
    return digest.hexdigest()[:16]


def boot(row):
    """One row.  Of a sound image the kernel may say no harm: a test need not
    notice that the file system did."""
    result = qemu.Machine(config_of(row)).run()
    harm = HARM.search(result.console)
    if result.passed and harm:
        result.outcome, result.why = 'fail', harm[0].strip()
    return result


def run_row(row):
    result = boot(row)
    return {'outcome': result.outcome, 'why': result.why,
            'seconds': round(result.seconds, 1), **result.record.counts()}


def load():
    return json.loads(SAVE.read_text())['rows'] if SAVE.exists() else {}


def save(rows, total):
    outcomes = [r['outcome'] for r in rows.values()]
    SAVE.parent.mkdir(exist_ok=True)
    temporary = SAVE.with_suffix('.new')
    temporary.write_text(json.dumps(
        {'kind': 'matrix', 'planned': total, 'run': len(outcomes),
         'passed': outcomes.count('pass'), 'rows': rows}, indent=0))
    temporary.replace(SAVE)


def run_all(args):
    rows = [r for r in full()
            if all(w in name_of(r) for w in args.only)]
    stamps = {}

    def stamp_of(row):
        key = (row['arch'], row['debug'])
        stamps[key] = stamps.get(key) or stamp(row)
        return stamps[key]
    now = {name_of(r): stamp_of(r) for r in rows}
    done = {n: r for n, r in load().items()
            if n not in now or r['stamp'] == now[n]}
    todo = [r for r in rows if done.get(name_of(r), {}).get('outcome')
            != 'pass'][:args.limit]
    print(f'{len(rows)} rows, {len(rows) - len(todo)} passed before or left')
    bad = 0
    with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        waiting = {pool.submit(run_row, r): name_of(r) for r in todo}
        for future in concurrent.futures.as_completed(waiting):
            name, got = waiting[future], future.result()
            done[name] = {**got, 'stamp': now[name]}
            save(done, len(full()))
            bad += got['outcome'] != 'pass'
            print(f"{got['outcome']:10} {got['seconds']:6.1f} s  {name}  "
                  f"{got['why'] if got['outcome'] != 'pass' else ''}",
                  flush=True)
    left = len(rows) - sum(done.get(n, {}).get('outcome') == 'pass'
                           for n in now)
    print(f'{len(todo)} run, {bad} failed, {left} of {len(rows)} still open')
    return 1 if bad else 0


def main():
    ap = argparse.ArgumentParser(usage=__doc__.split('usage:')[1])
    ap.add_argument('--list', action='store_true')
    ap.add_argument('--limit', type=int)
    ap.add_argument('--jobs', type=int, default=2)
    ap.add_argument('--only', nargs='*', default=[])
    args = ap.parse_args()
    if not args.list:
        return run_all(args)
    rows = pairwise()
    print(*map(name_of, rows), sep='\n')
    print(f'{len(rows)} here, {len(full())} in `make test-all`, of '
          f'{len(product())} combinations')
    return 0


if __name__ == '__main__':
    sys.exit(main())
