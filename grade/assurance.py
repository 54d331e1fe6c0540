# SPDX-License-Identifier: MIT
"""make assurance: one table of what was tested how, with which result, and how
many planted bugs the method finds.

usage: assurance.py [--write]

It runs nothing: it reads what the methods have left in build/*.json, newest
first, and says what was not run, and how to run it.  --write puts the table
into docs/assurance.md.  The exit code is 1 if anything that was run failed.
"""

import json
import re
import sys

import qemu

PAGE = qemu.TOP / 'docs' / 'assurance.md'
BEGIN, END = '<!-- table: make assurance -->\n', '<!-- end of the table -->\n'

# Method, what it is aimed at, the command, the files of its results, and the
# files that say how many planted bugs it finds.
METHODS = [
    ('models (Spin)', 'shootdown, sleep and wake-up, lock of a space',
     'make models', 'models.json', 'models.json'),
    ('models, 4 CPUs', 'shootdown', 'make models-long', 'models-long.json',
     None),
    ('unit tests', 'each module, on the simulated machine', 'make host-test',
     'unit.json', None),
    ('conformance, host', 'vm_ops: three designs, every TLB policy',
     'make conformance-host', 'conformance-host.json', None),
    ('conformance in the OS', 'the same cases on both machines',
     'make conformance', 'conformance-*-?.json', None),
    ('planted bugs', 'unit, conformance and random operations',
     'make planted', 'planted.json', 'planted.json'),
    ('litmus', 'shootdown conditions C1-C12, every policy', 'make litmus',
     'litmus.json', 'litmus.json'),
    ('random operations', 'VM core against one model', 'make fuzz',
     'fuzz-[0-9]*.json', 'planted-fuzz.json'),
    ('differential', 'one stream of operations, three designs',
     'make differential', 'differential-*.json', None),
    ('Hypothesis', 'the same, short and shrunk', 'make hypothesis',
     'hypothesis.json', 'planted-hypothesis.json'),
    ('libFuzzer', 'the same, led by coverage', 'make fuzz-cover',
     'fuzz-cover.json', 'planted-cover.json'),
    ('races (TSan)', 'VM core on threads', 'make host-tsan', 'tsan.json',
     None),
    ('n-th allocation fails', 'VM core: error paths', 'make faults-host',
     'faults-host.json', None),
    ('coverage', 'VM core under the host tests', 'make coverage',
     'coverage.json', None),
    ('mechanical mutants', 'flushes, locks, references, zeroing, checks',
     'make mutate', 'mutate.json', 'mutate.json'),
    ('tests in the OS', 'both machines, designs, CPUs, lanes', 'make test',
     'test.json', None),
    ('planted bugs in the OS', 'sweeps: arguments, allocations, leaks, '
     'half-way copies; shootdown, both machines', 'make planted-os',
     'planted-os.json', 'planted-os.json'),
    ('long sweeps', 'each system call 10^6 times; 10^5 fresh pages of each '
     'source; 10^6 racing unmaps', 'make sweep', 'sweep-*.json', None),
    ('full matrix', 'the same, all combinations', 'make test-all',
     'matrix.json', None),
    ('n-th allocation fails, booting', 'init to the prompt and two commands',
     'make faults ARGS=--prompt', 'faults-prompt-*.json', None),
    ('damage', 'file-system images, allocations, arguments', 'make faults',
     'faults.json', None),
    ('stress', 'memory, forks and threads on 8 CPUs for 10 minutes',
     'make stress', 'stress-*.json', None),
    ('power cuts', 'the file system on a disk', 'make torture',
     'torture.json', None),
]


def load(pattern):
    """The newest result of each file that the pattern names, newest first."""
    found = []
    paths = sorted(qemu.BUILD.glob(pattern), reverse=True,
                   key=lambda p: p.stat().st_mtime) if pattern else []
    for path in paths:
        try:
            data = json.loads(path.read_text())
        except ValueError:
            data = {'failed': 'not JSON'}
        if isinstance(data, dict):
            found.append(data)
    return found


def good(data):
    """Whether a run says of itself that it passed."""
    if 'passed' in data and isinstance(data['passed'], bool):
        return data['passed']
    complete = data.get('run', 0) == data.get('planned', data.get('run', 0))
    return complete and not data.get('failed') and \
        not data.get('findings') and not data.get('error')


def said(kind, data):
    """The result in a few words."""
    for keys, text in [
            (('lines', 'branches'), '{lines} % of lines, {branches} % of '
                                    'branches'),
            (('proved', 'searched'), '{proved} of {searched} proved'),
            (('compared',), '{compared:,} results compared, {findings} '
                            'differ'),
            (('operations', 'findings'), '{operations:,} operations, '
                                         '{findings} findings'),
            (('programs', 'findings'), '{programs:,} programs, {findings} '
                                       'findings'),
            (('corpus',), 'no finding; {corpus} programs in the corpus'),
            (('mutants', 'found'), '{found} of {mutants} found'),
            (('passed', 'boots'), '{passed} passed, {failed} failed'),
            (('passed', 'planned'), '{passed:,} of {planned:,} passed'),
            (('run', 'planned'), '{run} of {planned} ran, {failed} failed')]:
        if all(k in data for k in keys):
            try:
                return text.format(**data)
            except (KeyError, ValueError):
                pass
    return 'passed' if good(data) else 'failed'


def rows():
    """(method, target, command, result, planted, ok) of each method."""
    for method, target, command, results, planted in METHODS:
        runs, bugs = load(results), load(planted)
        result = said(method, runs[0]) if runs else 'not run'
        if len(runs) > 1:
            result += f' (and {len(runs) - 1} more runs)'
        ok = all(map(good, runs))
        if not ok and 'fail' not in result:
            result += ', **below the target**' if 'lines' in runs[0] else \
                ', **failed**'
        found = '-'
        if bugs and 'mutants' in bugs[0]:
            found = f"{bugs[0]['found']}/{bugs[0]['mutants']}"
            if bugs[0].get('equivalent'):
                found += f" ({bugs[0]['equivalent']} equivalent)"
        yield method, target, command, result, found, ok


def table(found):
    head = ['| method | target | command | result | planted bugs found |',
            '|-|-|-|-|-|']
    return '\n'.join(head + [
        f'| {m} | {t} | `{c}` | {r} | {p} |'
        for m, t, c, r, p, _ in found]) + '\n'


def main():
    found = list(rows())
    text = table(found)
    print(text, end='')
    if '--write' in sys.argv[1:]:
        page = PAGE.read_text()
        PAGE.write_text(re.sub(
            re.escape(BEGIN) + '.*?' + re.escape(END),
            lambda m: BEGIN + text + END, page, flags=re.S))
    return 0 if all(row[-1] for row in found) else 1


if __name__ == '__main__':
    sys.exit(main())
