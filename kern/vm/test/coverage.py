# SPDX-License-Identifier: MIT
"""Which lines and branches of the core the host tests reach.

usage: coverage.py [--seconds N] [--keep] [--missed] [FILE ...]

Runs unit, conformance (all configurations, and each allocation failing once),
litmus, fuzz for N seconds, and stress, all built with --coverage, and prints
the shares a file.  --keep adds to the counts of earlier runs; --missed lists
what was not reached, with FILEs only of those.

A branch is one way of a conditional jump as gcc made it.  Assertions and calls
of panic() are left out: their failing way is a bug of the kernel by definition,
and the planted bugs show that they work.  The targets are 95 % of the lines
and 85 % of the branches, over all.
"""

import argparse
import json
import os
import pathlib
import re
import subprocess
import sys

TOP = pathlib.Path(__file__).resolve().parents[3]
BUILD = TOP / 'build' / 'host' / 'cov'
CORE = re.compile(r'kern/(vm|mem|sync|lib)/(?!test/)')
LINES, BRANCHES = 95.0, 85.0


def suites(seconds):
    yield 'unit', []
    yield 'conformance', []
    yield 'conformance', ['-f']
    yield 'litmus', ['-n', '40']
    yield 'fuzz', ['-t', str(seconds), '-s', '1']
    yield 'stress', ['-n', '2']


def run_suites(seconds):
    for name, arguments in suites(seconds):
        done = subprocess.run([str(BUILD / name), *arguments], cwd=TOP,
                              env={**os.environ, 'BRIEF': '1'}, text=True,
                              stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT)
        print(f'{name:12} {" ".join(arguments):12} exit {done.returncode}',
              flush=True)
        if done.returncode != 0:
            sys.exit(done.stdout[-3000:])


def left_out(source):
    """Numbers of the lines of assertions and panics."""
    numbers, inside = set(), False
    for n, line in enumerate(source.read_text().split('\n'), 1):
        inside = inside or bool(re.search(
            r'\b(?:KASSERT(?:_ALWAYS)?|panic)\(', line))
        if inside:
            numbers.add(n)
        inside = inside and not line.rstrip().endswith(';')
    return numbers


def gcov():
    """{file: {line: (count, [count of each branch])}}, objects added up."""
    found = {}
    for data in sorted(BUILD.glob('kern/**/*.gcda')):
        if '/test/' in str(data) or '/host/' in str(
                data.relative_to(BUILD)):
            continue
        out = subprocess.run(
            [os.environ.get('GCOV', 'gcov'), '-b', '-j', '-t', str(data)],
            cwd=TOP, capture_output=True, text=True, check=True).stdout
        for one in json.loads(out)['files']:
            name = os.path.relpath(TOP / one['file'], TOP)
            if not CORE.match(name):
                continue
            lines = found.setdefault(name, {})
            for row in one['lines']:
                add(lines, row)
    return found


def add(lines, row):
    """A line may stand in several functions (inlines) and objects."""
    n, counts = row['line_number'], [b['count'] for b in row['branches']]
    count, before = lines.get(n, (0, []))
    if len(before) == len(counts):
        counts = [a + b for a, b in zip(before, counts)]
    elif before and sum(map(bool, before)) * len(counts) > \
            sum(map(bool, counts)) * len(before):
        counts = before         # another shape: the one that shows more
    lines[n] = (count + row['count'], counts)


def share(part, whole):
    return 100.0 * part / whole if whole else 100.0


def report(found):
    rows, missed = [], {}
    for name, lines in sorted(found.items()):
        out = left_out(TOP / name)
        row = {'file': name, 'lines': 0, 'reached': 0, 'branches': 0,
               'taken': 0}
        for n, (count, branches) in sorted(lines.items()):
            if n in out:
                continue
            row['lines'] += 1
            row['reached'] += count > 0
            if count > 0:
                row['branches'] += len(branches)
                row['taken'] += sum(map(bool, branches))
            else:
                row['branches'] += len(branches)
            if count == 0 or not all(branches):
                missed.setdefault(name, []).append((n, count, branches))
        rows.append(row)
    return rows, missed


def print_missed(missed, names):
    for name, places in missed.items():
        if names and not any(name.endswith(n) for n in names):
            continue
        text = (TOP / name).read_text().split('\n')
        for n, count, branches in places:
            what = 'line' if count == 0 else 'branch ' + ''.join(
                '+' if b else '-' for b in branches)
            print(f'{name}:{n}: {what}: {text[n - 1].strip()}')


def main():
    ask = argparse.ArgumentParser()
    ask.add_argument('--seconds', type=int, default=20)
    ask.add_argument('--keep', action='store_true')
    ask.add_argument('--missed', action='store_true')
    ask.add_argument('files', nargs='*')
    args = ask.parse_args()
    if not args.keep:
        for data in BUILD.glob('kern/**/*.gcda'):
            data.unlink()
    if args.seconds:
        run_suites(args.seconds)
    rows, missed = report(gcov())
    if args.missed:
        print_missed(missed, args.files)
        return 0
    total = {k: sum(r[k] for r in rows)
             for k in ('lines', 'reached', 'branches', 'taken')}
    for r in rows + [{'file': 'all', **total}]:
        print(f"{r['file']:34} lines {r['reached']:5} of {r['lines']:5} "
              f"{share(r['reached'], r['lines']):5.1f} %   branches "
              f"{r['taken']:5} of {r['branches']:5} "
              f"{share(r['taken'], r['branches']):5.1f} %")
    lines = share(total['reached'], total['lines'])
    branches = share(total['taken'], total['branches'])
    passed = lines >= LINES and branches >= BRANCHES
    (TOP / 'build/coverage.json').write_text(json.dumps({
        'kind': 'coverage', 'passed': passed, 'lines': round(lines, 1),
        'branches': round(branches, 1), 'rows': rows}, indent=1) + '\n')
    print(f'{lines:.1f} % of the lines (target {LINES:.0f}), {branches:.1f} % '
          f'of the branches (target {BRANCHES:.0f})')
    return 0 if passed else 1


if __name__ == '__main__':
    sys.exit(main())
