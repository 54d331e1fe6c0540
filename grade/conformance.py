# SPDX-License-Identifier: MIT
"""The conformance suite as a program in the OS, with 1 and 4 CPUs.

The list of cases is that of the host port (kern/vm/test/conf_*.c); see
user/test/conformance.c.  Writes build/conformance-ARCH-CPUS.json.

usage: conformance.py            settings from ARCH VM
"""

import json
import os
import sys

import qemu


def run(arch, vm, cpus):
    result = qemu.boot(arch=arch, vm=vm, cpus=cpus, silence=60, total=300,
                       args={'test': 'conformance'},
                       name=f'conformance-{arch}-{cpus}')
    cases = [p for p in result.record.points if p.depth > 0]
    report = {
        'kind': 'conformance', 'where': f'{arch}, {cpus} CPUs, {vm}',
        'outcome': result.outcome, 'planned': len(cases), 'run': len(cases),
        'failed': sum(not p.ok for p in cases),
        'skipped': sum(p.skip for p in cases),
        'milliseconds': round(1000 * result.seconds),
        'failures': [p.name for p in cases if not p.ok]}
    (qemu.BUILD / f'conformance-{arch}-{cpus}.json').write_text(
        json.dumps(report, indent=1))
    print(f"{arch}, {cpus} CPUs: {result.explain()}; {report['skipped']} "
          f'skipped, {result.seconds:.1f} s', flush=True)
    return result.passed


def main():
    vm = os.environ.get('VM', 'classic')
    return 0 if all([run(qemu.ARCH, vm, cpus) for cpus in (1, 4)]) else 1


if __name__ == '__main__':
    sys.exit(main())
