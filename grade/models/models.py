# SPDX-License-Identifier: MIT
"""Prove the models with Spin, and find every bug that is planted in them.

usage: models.py [--long] [--jobs N] [MODEL ...]

A model's header lists its planted bugs; each is one more run with BUG=n that
must end in a failed assertion or in a state from which nobody can go on.  The
correct model must be searched to the end, under every policy in RUNS, without
either.  A search that was cut short is a failure.  --long takes more CPUs.

The table goes to the terminal, the rows to build/models.json; what a failed
run has found stays in build/models/RUN (`spin -t -p` shows the steps).
"""

import argparse
import concurrent.futures
import itertools
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
TOP = HERE.parents[1]
BUILD = TOP / 'build' / 'models'
BUG = re.compile(r'^ \*\t(\d+)\s+(.*?)(?: \[([\w= ]+)\])?$', re.M)
SCALE = float(os.environ.get('TERN_TIMESCALE', 1))
LIMIT, LONG_LIMIT = 300 * SCALE, 3600 * SCALE
MEMORY, LONG_MEMORY = 3000, 12000       # MiB

POLICIES = [{'TARGETS': t, 'CATCHUP': c, 'DELIVER': d}
            for d, t, c in itertools.product((0, 1), (0, 1), (0, 1, 2))]
NAMES = {'TARGETS': ('mask', 'all'), 'CATCHUP': ('gen', 'eager', 'tick'),
         'DELIVER': ('ipi', 'sbi')}

# What is proved: model, defines.  Three CPUs of which two unmap; with two
# rounds a CPU can miss more than one generation.
RUNS = {
    'shootdown': POLICIES + [{'N': 2, 'ROUNDS': 2, 'CATCHUP': c}
                             for c in (0, 1, 2)],
    'mapdb': [{}],
    'waitq': [{}, {'ONE': 1}, {'ANY': 1}],
    'space': [{}, {'COW': 1}, {'PIN': 1}, {'COW': 1, 'PIN': 1}],
}
LONG = {'shootdown': [{'N': 4, 'JOINERS': 1, **p} for p in POLICIES]}


def title(model, defines):
    said = [NAMES[k][v] if k in NAMES else f'{k}={v}'
            for k, v in defines.items()]
    return ' '.join([model] + said)


def planted(model):
    """(number, what, further defines) of each bug in the header."""
    for number, what, extra in BUG.findall(
            (HERE / f'{model}.pml').read_text()):
        more = dict(word.split('=') for word in (extra or '').split())
        yield int(number), what, {k: int(v) for k, v in more.items()}


def step(command, cwd, seconds):
    try:
        done = subprocess.run(command, cwd=cwd, timeout=seconds, text=True,
                              stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT)
        return done.returncode, done.stdout
    except subprocess.TimeoutExpired as stopped:
        out = (stopped.stdout or b'').decode(errors='replace')
        return None, out + f'\nno end after {seconds:.0f} s'


def verdict(out):
    """'proved', what was found, or why the search says nothing."""
    errors = re.search(r'errors: (\d+)', out)
    found = re.search(r'^pan:\d+: (assertion violated|invalid end state)', out,
                      re.M)
    if found:
        return found[1]
    if errors and errors[1] == '0' and 'not completed' not in out and \
            'too small' not in out and 'out of memory' not in out:
        return 'proved'
    lines = out.strip().split('\n')
    return 'no verdict: ' + next(
        (x for x in lines if 'rror' in x or 'pan' in x), lines[-1])


def search(model, defines, long=False):
    """One run. @return (verdict, states)"""
    name = re.sub(r'\W+', '-', title(model, defines)).strip('-')
    work = BUILD / name
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    flags = [f'-D{k}={v}' for k, v in defines.items()]
    model_file = HERE / f'{model}.pml'
    # Spin writes the name that it is given into the verifier.
    shutil.copy(model_file, work)
    code, out = step(['spin', '-a', *flags, model_file.name], work, 60 * SCALE)
    if code == 0:
        memory = LONG_MEMORY if long else MEMORY
        code, out = step([os.environ.get('HOSTCC', 'gcc'), '-O2', '-w',
                          '-DSAFETY', '-DCOLLAPSE', f'-DMEMLIM={memory}',
                          '-o', 'pan', 'pan.c'], work, 120 * SCALE)
    if code == 0:
        _, out = step(['./pan', '-m400000'], work,
                      LONG_LIMIT if long else LIMIT)
    said = verdict(out)
    states = re.search(r'^\s*(\d+) states, stored', out, re.M)
    if said == 'proved' or 'BUG' in defines and said[:2] != 'no':
        shutil.rmtree(work)
    return said, int(states[1]) if states else 0


def one(job):
    model, what, defines, long = job
    start = time.monotonic()
    said, states = search(model, defines, long)
    bug = 'BUG' in defines
    row = {'model': title(model, {k: v for k, v in defines.items()
                                  if k != 'BUG'}),
           'bug': f"{defines['BUG']}: {what}" if bug else '',
           'ok': said in ('assertion violated', 'invalid end state')
           if bug else said == 'proved',
           'verdict': said, 'states': states,
           'seconds': round(time.monotonic() - start, 1)}
    print(f"{'ok' if row['ok'] else 'NOT OK':7}{row['model']:34}"
          f"{said:19}{states:>11,} states {row['seconds']:6.1f} s  "
          f"{row['bug']}", flush=True)
    return row


def jobs(models, long):
    for model in models:
        for defines in (LONG if long else RUNS).get(model, []):
            yield model, '', defines, long
        for number, what, more in [] if long else planted(model):
            yield model, what, {'BUG': number, **more}, long


def main():
    ask = argparse.ArgumentParser()
    ask.add_argument('--long', action='store_true')
    ask.add_argument('--jobs', type=int, default=min(2, os.cpu_count() or 1))
    ask.add_argument('models', nargs='*', metavar='MODEL')
    args = ask.parse_args()
    for name in args.models:
        if name not in RUNS:
            ask.error(f'no model {name}: there are ' + ', '.join(RUNS))
    if shutil.which('spin') is None:
        sys.exit('spin is missing (Debian package spin): run '
                 '`sh grade/setup.sh`')
    # The long searches fill the memory: one at a time.
    workers = 1 if args.long else args.jobs
    with concurrent.futures.ThreadPoolExecutor(workers) as pool:
        rows = list(pool.map(one, jobs(args.models or RUNS, args.long)))
    bugs = [r for r in rows if r['bug']]
    found = sum(r['ok'] for r in bugs)
    proved = sum(r['ok'] for r in rows if not r['bug'])
    passed = all(r['ok'] for r in rows)
    print(f'{proved} of {len(rows) - len(bugs)} models proved, '
          f'{found} of {len(bugs)} planted bugs found')
    if not args.models:
        name = 'models-long' if args.long else 'models'
        (TOP / f'build/{name}.json').write_text(json.dumps({
            'kind': 'models', 'passed': passed, 'proved': proved,
            'searched': len(rows) - len(bugs), 'mutants': len(bugs),
            'found': found, 'rows': rows}, indent=1) + '\n')
    return 0 if passed else 1


if __name__ == '__main__':
    sys.exit(main())
