# SPDX-License-Identifier: MIT
"""Cut the power of a machine that writes files: `make torture`.

The guest runs /test/powercut and says what it has synced.  After a random time
QEMU is killed.  The disk is then rebuilt from QEMU's log of its writes: all up
to the last flush, and a random part of those after it, as a disk with a cache
would leave them.  One `e2fsck -fy` must repair it, a second `-fn` be content,
and every file whose last word is "synced" must be there with its bytes; of a
rename under way, one of the two names.

usage: torture.py [--rounds N] [--seed S]
"""

import argparse
import os
import pathlib
import random
import shutil
import struct
import subprocess
import sys
import tempfile
import time

import qemu

sys.path.insert(0, str(qemu.TOP / 'user'))
import mkroot  # noqa: E402

LOG_MAGIC, LOG_FLUSH = 0x6a736677736872, 1
ENV = dict(os.environ, PATH=os.environ['PATH'] + ':/usr/sbin:/sbin')


def path_of(i):
    return (('sub/' if i % 3 == 0 else '') + chr(ord('a') + i) +
            'x' * (200 if i % 2 == 0 else 0))


def run(*cmd):
    return subprocess.run(cmd, env=ENV, text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT)


class Promises:
    """What the guest said must be on the disk: a set of contents per name,
    None standing for absent; no entry: anything."""

    def __init__(self):
        self.files = {}
        self.renames = {}       # target -> contents that one of two must have
        self.count = 0

    def hear(self, line):
        word, *args = line.split() or ['']
        if word not in ('begin', 'synced', 'renamed', 'gone'):
            return
        i, *rest = map(int, args)
        self.count += word != 'begin'
        if word == 'begin':
            before = self.files.pop(i, None)
            self.renames = {}
            if rest:
                self.files.pop(rest[0], None)
                if before:
                    self.renames = {(i, rest[0]): before}
            self.moving = before
        elif word == 'synced':
            self.files[i] = (rest[0], rest[1])
        elif word == 'gone':
            self.files[i] = None
        else:
            self.files[i] = None
            if self.moving:
                self.files[rest[0]] = self.moving
        if word != 'begin':
            self.renames = {}

    def broken(self, read):
        """Names whose promise the disk does not keep."""
        bad = []
        for i, want in self.files.items():
            got = read(i)
            if want is None:
                if got is not None:
                    bad.append(f'{path_of(i)}: is there again')
            elif got != mkroot.pattern(want[1], want[0]):
                bad.append(f'{path_of(i)}: ' + (
                    'lost' if got is None else f'wrong, {len(got)} bytes, '
                    f'expected {want[1]}'))
        for (i, j), want in self.renames.items():
            data = mkroot.pattern(want[1], want[0])
            if data not in (read(i), read(j)):
                bad.append(f'{path_of(i)} -> {path_of(j)}: lost')
        return bad


def log_entries(path):
    """(flags, offset, data) of each write that QEMU logged."""
    raw = path.read_bytes()
    magic, _, _, sector = struct.unpack_from('<QQQI', raw)
    if magic != LOG_MAGIC:
        raise ValueError('no log of writes')
    at = sector
    while at + 32 <= len(raw):
        where, n, flags, _ = struct.unpack_from('<QQQQ', raw, at)
        at += sector
        data = raw[at:at + n * sector]
        if (n == 0 and flags == 0) or len(data) < n * sector:
            return
        at += n * sector
        yield flags, where * sector, data


def disk_after(image, log, rng):
    """The image with everything up to the last flush and some of the rest."""
    disk = bytearray(image.read_bytes())
    entries = list(log_entries(log))
    flushed = max([k for k, e in enumerate(entries) if e[0] & LOG_FLUSH],
                  default=-1)
    keep = rng.random()
    for k, (_, where, data) in enumerate(entries):
        if k <= flushed or rng.random() < keep:
            disk[where:where + len(data)] = data
    return bytes(disk), len(entries), len(entries) - 1 - flushed


def drive(image, log):
    return ('-blockdev', f'driver=file,filename={image},node-name=image',
            '-blockdev', f'driver=file,filename={log},node-name=log',
            '-blockdev', 'driver=blklogwrites,node-name=disk,file=image,'
            'log=log', '-device', 'virtio-blk-pci,drive=disk')


def cut(folder, seed, arch):
    """One power cut; returns what is wrong, and a line about it."""
    rng = random.Random(seed)
    root = qemu.BUILD / arch / 'root.img'
    live, log = folder / 'live.img', folder / 'log'
    shutil.copyfile(root, live)
    log.write_bytes(b'')
    promises = Promises()
    config = qemu.Config(
        arch=arch, cpus=rng.choice([1, 2, 4]), kernel=qemu.BUILD / arch /
        'debug' / 'tern.elf', args={'root': 'vda', 'init': '/test/powercut',
                                    'cut': seed},
        extra=drive(live, log), name=f'torture-{arch}-{seed}')
    with qemu.Machine(config, on_result=promises.hear) as machine:
        limit = time.monotonic() + 60 * qemu.TIMESCALE
        while promises.count < 3 and not machine.over():
            machine.pump(0.1)
            if time.monotonic() > limit:
                return ['the guest does not begin'], ''
        end = time.monotonic() + rng.uniform(0.2, 4)
        while time.monotonic() < end and not machine.over():
            machine.pump(0.01)
        if '# panic' in machine.console.text():
            return ['panic'], machine.console.text()[-2000:]
        machine.proc.kill()
        machine.proc.wait()
        while machine.pump(0):          # what it said before it died
            pass
    try:
        image, writes, loose = disk_after(root, log, rng)
    except (ValueError, struct.error):
        return ['nothing was ever flushed'], ''
    disk = folder / 'disk.img'
    disk.write_bytes(image)
    first = run('e2fsck', '-fy', str(disk))
    second = run('e2fsck', '-fn', str(disk))
    bad = []
    if first.returncode not in (0, 1):
        bad.append(f'e2fsck -fy: {first.returncode}: {first.stdout[-500:]}')
    if second.returncode != 0:
        bad.append(f'e2fsck -fn after it: {second.stdout[-500:]}')
    shutil.rmtree(folder / 'tmp', ignore_errors=True)
    run('debugfs', '-R', f'rdump tmp {folder}', str(disk))

    def read(i):
        path = folder / 'tmp' / path_of(i)
        return path.read_bytes() if path.is_file() else None
    bad += promises.broken(read)
    return bad, (f'{promises.count} promises, {writes} writes, {loose} of '
                 f'them after the last flush, {len(promises.files)} files '
                 f'checked')


def main():
    ap = argparse.ArgumentParser(usage=__doc__.split('usage:')[1])
    ap.add_argument('--rounds', type=int, default=20)
    ap.add_argument('--seed', type=int, default=1)
    args = ap.parse_args()
    failed = 0
    for seed in range(args.seed, args.seed + args.rounds):
        with tempfile.TemporaryDirectory(prefix='tern-cut-') as folder:
            bad, line = cut(pathlib.Path(folder), seed, qemu.ARCH)
        failed += bool(bad)
        print(f'{"not ok" if bad else "ok"} {seed} {line}', flush=True)
        for what in bad:
            print(f'# {what}', flush=True)
    print(f'{args.rounds} power cuts, {failed} with losses')
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
