# SPDX-License-Identifier: MIT
"""Load on all CPUs at once, for minutes: `make stress`.

Each round runs workers that map, check and unmap memory, that fork, and that
do both in threads of one process (user/bin/stress.c), beside copies of a file;
then somebody takes all memory and is ended.  Finding: a worker that sees wrong
contents, a status that is not 0, a panic of the DEBUG kernel (its checkers are
on), silence, or a machine that does not power off.

usage: stress.py [--minutes N] [--cpus N]
"""

import argparse
import json
import os
import sys
import time

import qemu

SECONDS = 20
ROUND = (f'stress -t {SECONDS} -n 4 memory & stress -t {SECONDS} -n 3 fork & '
         f'stress -t {SECONDS} -n 2 thread; echo "threads $?"; '
         'wait %1; echo "memory $?"; wait %2; echo "forks $?"; '
         'cp /test/files/big tmp/s; cat tmp/s | wc; rm tmp/s; '
         'stress -t 60 -n 1 hog; echo "hog $?"\n')


def one_round(m):
    """What was wrong, or None."""
    m.send(ROUND)
    for what in ('threads', 'memory', 'forks'):
        status = m.expect(rf'\n{what} (\d+)', timeout=4 * SECONDS)[1]
        if status != b'0':
            return f'{what}: status {status.decode()}'
    m.expect(r'\b1048576\b')
    status = m.expect(r'\nhog (\d+)', timeout=90)[1]
    if status == b'0':
        return 'nobody was ended for want of memory'
    m.expect(r'\$ ')
    return None


def run(minutes, cpus):
    """(rounds, finding or None)"""
    arch = qemu.ARCH
    vm = os.environ.get('VM', 'classic')
    limit = time.monotonic() + 60 * minutes
    rounds = 0
    with qemu.Machine(qemu.Config(
            arch=arch, vm=vm, cpus=cpus, silence=120,
            total=60 * minutes + 600, name=f'stress-{arch}-{vm}')) as m:
        try:
            m.expect(r'\$ ')
            while time.monotonic() < limit:
                bad = one_round(m)
                rounds += 1
                print(f'{"not ok" if bad else "ok"} round {rounds} '
                      f'{bad or ""}', flush=True)
                if bad:
                    return rounds, bad
            m.send('poweroff\n')
            while not m.over():
                m.pump(0.25)
        except TimeoutError as error:
            return rounds, str(error)
        text = m.console.text()
        for sign in ('# panic', 'stress: '):
            if sign in text:
                return rounds, text[text.index(sign):][:500]
        if m.end != ('stopped', 'guest-shutdown'):
            return rounds, f'no power-off: {m.end}'
    return rounds, None


def main():
    ap = argparse.ArgumentParser(usage=__doc__.split('usage:')[1])
    ap.add_argument('--minutes', type=float, default=10)
    ap.add_argument('--cpus', type=int, default=8)
    args = ap.parse_args()
    start = time.monotonic()
    rounds, bad = run(args.minutes, args.cpus)
    vm = os.environ.get('VM', 'classic')
    path = qemu.BUILD / f'stress-{qemu.ARCH}-{vm}-{args.cpus}.json'
    path.write_text(json.dumps({
        'kind': 'stress', 'arch': qemu.ARCH, 'vm': vm, 'cpus': args.cpus,
        'seconds': round(time.monotonic() - start), 'rounds': rounds,
        'findings': int(bad is not None), 'passed': bad is None}, indent=1))
    print(f'{rounds} rounds, {1 if bad else 0} findings')
    if bad:
        print(bad)
    return 1 if bad else 0


if __name__ == '__main__':
    sys.exit(main())
