# SPDX-License-Identifier: MIT
"""Short programs for the fuzzer, made and made shorter by Hypothesis.

usage: hypo.py [--examples N] [--program FUZZ] [--design NAME] [--compare]

The programs are those of fuzz.h, a header and records of eight bytes, but drawn
field by field: few pages, few spaces, a word of one operation.  Each runs in
`fuzz -r` (with --compare through every design) and is compared with the model
there.  What fails is shrunk to the fewest records with the smallest numbers,
listed, and kept in build/hypo.bin.
"""

import argparse
import json
import pathlib
import re
import subprocess
import sys
import tempfile

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

HERE = pathlib.Path(__file__).resolve().parent
TOP = HERE.parents[2]
PROGRAM = str(TOP / 'build/host/fuzz')
KEEP = TOP / 'build' / 'hypo.bin'


def report(programs, findings):
    KEEP.with_name('hypothesis.json').write_text(json.dumps({
        'kind': 'hypothesis', 'passed': not findings, 'programs': programs,
        'findings': findings}) + '\n')


def op_bytes():
    """{operation: its first byte}, from the table of fuzz.c."""
    text = (HERE / 'fuzz.c').read_text()
    table = re.search(r'table\[64\] = \{(.*?)\}', text, re.S)[1]
    found = {}
    for n, name in enumerate(re.findall(r'OP_(\w+)', table)):
        found.setdefault(name.lower(), n)
    return found


OPS = op_bytes()
byte = st.integers(0, 255)
# Few of everything, so that operations meet; Hypothesis shrinks to the left.
ORDER = ['map', 'write', 'read', 'create', 'fork', 'unmap', 'protect', 'load',
         *sorted(set(OPS) - {'map', 'write', 'read', 'create', 'fork',
                             'unmap', 'protect', 'load'})]
record = st.builds(
    lambda op, space, cpu, page, n, arg, hook: bytes(
        [OPS[op], space, cpu, page, n, arg]) + hook,
    st.sampled_from(ORDER), st.integers(0, 2), st.integers(0, 3),
    st.integers(0, 18), st.integers(0, 7), st.one_of(st.integers(0, 7), byte),
    st.binary(min_size=2, max_size=2))
header = st.builds(
    lambda *fields: bytes(fields), st.integers(0, 3), st.integers(0, 11),
    st.integers(0, 4), st.integers(0, 7), st.integers(0, 7),
    st.sampled_from([0, 1]), st.integers(0, 9), st.integers(0, 2))
# The first thing is a space: all else needs one.
program = st.builds(
    lambda head, rest: head + bytes([OPS['create']] + [0] * 7) +
    b''.join(rest), header, st.lists(record, min_size=1, max_size=40))


def main():
    ask = argparse.ArgumentParser()
    ask.add_argument('--examples', type=int, default=300)
    ask.add_argument('--program', default=PROGRAM)
    ask.add_argument('--design')
    ask.add_argument('--compare', action='store_true')
    args = ask.parse_args()
    command = [args.program]
    command += ['-d', args.design] if args.design else []
    command += ['-c'] if args.compare else []
    ran = 0

    def run(data):
        nonlocal ran
        ran += 1
        with tempfile.NamedTemporaryFile(suffix='.bin') as file:
            file.write(data)
            file.flush()
            done = subprocess.run(command + ['-r', file.name], text=True,
                                  stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT)
        return done.returncode, done.stdout

    @settings(max_examples=args.examples, deadline=None, database=None,
              suppress_health_check=list(HealthCheck))
    @given(program)
    def check(data):
        code, out = run(data)
        if code != 0:
            KEEP.parent.mkdir(exist_ok=True)
            KEEP.write_bytes(data)  # the last one is the smallest
            raise AssertionError(out)

    try:
        check()
    except AssertionError:
        tried = ran
        _, out = run(KEEP.read_bytes())
        said = out.strip().split('\n')[-1].lstrip('# ')
        print('\n'.join(x for x in out.split('\n') if x.startswith('# ')))
        print(f'# finding after {tried} operations: {said}')
        if args.program == PROGRAM:
            report(tried, 1)
        print(f'# again: build/host/fuzz -r {KEEP.relative_to(TOP)}')
        return 1
    if args.program == PROGRAM:
        report(ran, 0)
    print(f'{ran} programs, no finding')
    return 0


if __name__ == '__main__':
    sys.exit(main())
