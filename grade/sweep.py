# SPDX-License-Identifier: MIT
"""make sweep: the long run of the groups sweep, secret and half.

usage: sweep.py [--count N] [--pages N] [--rounds N] [--seed S]
                [--vm DESIGN...] [--only TEST...]

Each system call COUNT times with bad arguments, PAGES fresh pages of each
source, ROUNDS calls whose buffer is unmapped meanwhile.  One boot for each
section of the system-call table and each design, so that what fails can be run
again alone.  build/sweep-ARCH.json keeps the counts.
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
OF_DESIGN = ['memory', 'terns_own', 'secret', 'half']
MADE = re.compile(r'# (?:\d+ calls, made )?(\d+) (?:times|pages|whole)')


def plan(args):
    """(name, design, boot arguments) of each boot."""
    for name in SECTIONS + ['secret', 'half']:
        if args.only and name not in args.only:
            continue
        words = {'secret': {'test': 'secret', 'secret': args.pages,
                            'ram1': '24m', 'swap': 'ram1'},
                 'half': {'test': 'half', 'half': args.rounds}}.get(
            name, {'test': f'sweep.{name}', 'sweep': args.count,
                   'sweepseed': args.seed})
        for design in args.vm if name in OF_DESIGN else args.vm[:1]:
            yield name, design, words


def main():
    ap = argparse.ArgumentParser(usage=__doc__.split('usage:')[1])
    ap.add_argument('--count', type=int, default=10**6)
    ap.add_argument('--pages', type=int, default=10**5)
    ap.add_argument('--rounds', type=int, default=10**6)
    ap.add_argument('--seed', type=int, default=1)
    ap.add_argument('--vm', nargs='*', default=['classic', 'mach', 'l4'])
    ap.add_argument('--only', nargs='*', default=[])
    args = ap.parse_args()
    made, rows = 0, []
    for number, (section, design, words) in enumerate(plan(args)):
        calls = []
        # 50 us a call, 40 calls; a page and a round are much alike
        limit = 600 + max(args.count, args.rounds) / 20
        result = qemu.Machine(qemu.Config(
            vm=design, cpus=2 + number % 3, silence=limit,
            total=limit, name=f'sweep-{section}-{design}',
            mem='64M' if section == 'secret' else '256M',
            args={'timescale': 10**4, **words}),
            on_result=lambda line: calls.extend(
                int(m[1]) for m in [MADE.search(line)] if m)).run()
        made += sum(calls)
        bad = '' if result.passed else result.why
        rows.append({'section': section, 'vm': design, 'calls': sum(calls),
                     'outcome': result.outcome, 'finding': bad})
        print(f"{'BAD' if bad else 'ok':4}{section:16} {design:8}"
              f'{sum(calls):12,} {result.seconds:7.1f} s  {bad}',
              flush=True)
    findings = [r for r in rows if r['finding']]
    if not args.only:
        (qemu.BUILD / f'sweep-{qemu.ARCH}.json').write_text(json.dumps(
            {'kind': 'sweep', 'arch': qemu.ARCH, 'seed': args.seed,
             'count': args.count, 'operations': made,
             'findings': len(findings), 'rows': rows}, indent=1))
    print(f'{made:,} calls, pages and rounds, {len(findings)} findings, seed {args.seed}')
    return 1 if findings else 0


if __name__ == '__main__':
    sys.exit(main())
