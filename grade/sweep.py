# SPDX-License-Identifier: MIT
"""make sweep: the long run of the group sweep, each call COUNT times.

usage: sweep.py [--count N] [--seed S] [--vm DESIGN...] [--only TEST...]

One boot for each section of the system-call table and each design, so that
what fails can be run again alone.  build/sweep-ARCH.json keeps the counts.
"""

import argparse
import json
import re
import sys

import qemu

# The tests of user/test/sweep.c.  l4 and mach differ in what they map, hence
# in these; the others run with one design.
SECTIONS = ['files', 'processes', 'signals', 'times_and_sleep', 'memory',
            'of_this_machine', 'terns_own', 'not_there_yet']
OF_DESIGN = ['memory', 'terns_own']
MADE = re.compile(r'# (\d+) calls, made (\d+) times')


def plan(designs, only):
    for section in SECTIONS:
        if not only or section in only:
            for design in designs if section in OF_DESIGN else designs[:1]:
                yield section, design


def main():
    ap = argparse.ArgumentParser(usage=__doc__.split('usage:')[1])
    ap.add_argument('--count', type=int, default=10**6)
    ap.add_argument('--seed', type=int, default=1)
    ap.add_argument('--vm', nargs='*', default=['classic', 'mach', 'l4'])
    ap.add_argument('--only', nargs='*', default=[])
    args = ap.parse_args()
    made, rows = 0, []
    todo = list(plan(args.vm, args.only))
    for number, (section, design) in enumerate(todo):
        calls = []
        limit = 600 + args.count / 20       # 50 us a call, 40 calls
        result = qemu.Machine(qemu.Config(
            vm=design, cpus=1 + number % 2, silence=limit / 10,
            total=limit, name=f'sweep-{section}-{design}',
            args={'test': f'sweep.{section}', 'sweep': args.count,
                  'sweepseed': args.seed, 'timescale': 10**4}),
            on_result=lambda line: calls.extend(
                int(m[2]) for m in [MADE.search(line)] if m)).run()
        made += sum(calls)
        bad = '' if result.passed else result.why
        rows.append({'section': section, 'vm': design, 'calls': sum(calls),
                     'outcome': result.outcome, 'finding': bad})
        print(f"{'BAD' if bad else 'ok':4}{section:16} {design:8}"
              f'{sum(calls):12,} calls {result.seconds:7.1f} s  {bad}',
              flush=True)
    findings = [r for r in rows if r['finding']]
    if not args.only:
        (qemu.BUILD / f'sweep-{qemu.ARCH}.json').write_text(json.dumps(
            {'kind': 'sweep', 'arch': qemu.ARCH, 'seed': args.seed,
             'count': args.count, 'operations': made,
             'findings': len(findings), 'rows': rows}, indent=1))
    print(f'{made:,} calls, {len(findings)} findings, seed {args.seed}')
    return 1 if findings else 0


if __name__ == '__main__':
    sys.exit(main())
