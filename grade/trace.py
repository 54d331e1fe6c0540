# SPDX-License-Identifier: MIT
"""Where the instructions of an operation go: `make trace NAME=cow_copy`.

Boots the release kernel with one benchmark, lets QEMU log every instruction
(-singlestep -d exec,nochain) into a pipe, and folds the log into operations:
what the kernel executed between two user instructions, by function.  The
operations seen most often are the measured ones.  Writes build/trace/NAME.txt.

usage: trace.py NAME [MINIMUM]     MINIMUM: print rows seen that often (50)
"""

import os
import subprocess
import sys
import tempfile

import qemu

FOLD = qemu.BUILD / 'host' / 'fold'


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__.split('\n\n')[-1].strip())
    name, minimum = sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else '50'
    out = qemu.BUILD / 'trace' / f'{name}.txt'
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix='tern-trace-') as tmp:
        log, symbols = os.path.join(tmp, 'log'), os.path.join(tmp, 'symbols')
        config = qemu.Config(
            vm=os.environ.get('VM', 'classic'), cpus=1, debug=False,
            lane='bench', args={'bench': name}, silence=600, total=1200,
            name=f'trace-{name}',
            extra=('-singlestep', '-d', 'exec,nochain', '-D', log))
        cross = qemu.ARCHES[config.arch].cross
        with open(symbols, 'w') as f:
            subprocess.run([cross + 'nm', config.kernel], stdout=f, check=True)
        os.mkfifo(log)
        with open(out, 'w') as f:
            fold = subprocess.Popen(
                ['sh', '-c', '"$0" "$1" "$2" < "$3"', FOLD, symbols, minimum,
                 log], stdout=f)
            result = qemu.Machine(config).run()
            fold.wait(60)
    print(out.read_text(), end='')
    if not result.passed:
        print(result.explain())
    return 0 if result.passed else 1


if __name__ == '__main__':
    sys.exit(main())
