# SPDX-License-Identifier: MIT
"""make faults: damaged images, failing allocations, bad boot arguments.

Whatever is broken, the machine must end in a defined way: results, an error
message, or the one panic that is right (no root file system to run from).
A hang, a crash, a flood or any other panic is a finding.  Every case comes
from SEED and can be run again alone; build/faults.json keeps the counts.

usage: faults.py [--seed N] [--count N] [--only WORD] [--prompt]

--prompt: only boots to the shell, one for each allocation on the way there.
"""

import argparse
import collections
import json
import os
import random
import re
import struct
import sys
import tempfile

import qemu
from matrix import HARM

BLOCK = 4096
# The only panics that bad input outside of the kernel may cause.
NO_ROOT = re.compile(r'cannot mount \w+ as root: |cannot run /|vm=\S*: no such')


def ext2_regions(image):
    """{what: (first byte, length)} of the parts that the kernel must doubt."""
    inodes, _ = struct.unpack_from('<II', image, 1024)
    size = struct.unpack_from('<H', image, 1024 + 88)[0] or 128
    table = struct.unpack_from('<I', image, BLOCK + 8)[0] * BLOCK
    root = struct.unpack_from('<I', image, table + size + 40)[0] * BLOCK
    return {'super': (1024, 264), 'group': (BLOCK, 64),
            'inodes': (table, min(inodes, 256) * size),
            'root directory': (root, BLOCK),
            'anything': (0, len(image))}


def find_inode(image, path):
    """Where the inode of an absolute path begins; the image must be sound."""
    size = struct.unpack_from('<H', image, 1024 + 88)[0] or 128
    per_group = struct.unpack_from('<I', image, 1024 + 40)[0]

    def inode(number):
        group, index = divmod(number - 1, per_group)
        table = struct.unpack_from('<I', image, BLOCK + 32 * group + 8)[0]
        return table * BLOCK + index * size

    def lookup(directory, name):
        for i in range(12):
            block = struct.unpack_from('<I', image, directory + 40 + 4 * i)[0]
            at = block * BLOCK
            while block and at < (block + 1) * BLOCK:
                number, length, n = struct.unpack_from('<IHB', image, at)
                if number and image[at + 8:at + 8 + n] == name.encode():
                    return inode(number)
                at += length
        raise KeyError(name)
    found = inode(2)
    for name in path.strip('/').split('/'):
        found = lookup(found, name)
    return found


def damage(image, rng):
    """A copy of the image with one to eight wounds, and their names."""
    image = bytearray(image)
    regions = ext2_regions(image)
    wounds = []
    for _ in range(rng.choice((1, 1, 2, 8))):
        what = rng.choice(list(regions))
        start, length = regions[what]
        at = start + rng.randrange(length) & ~3
        value = rng.choice((0, 1, 0xffffffff, 0x7fffffff, 0x80000000,
                            rng.getrandbits(32), rng.getrandbits(8)))
        if at + 4 <= len(image):
            struct.pack_into('<I', image, at, value)
            wounds.append(f'{what}+{at - start:#x}={value:#x}')
    return bytes(image), ' '.join(wounds)


def image_cases(folder, seed, count):
    """(name, config arguments) of damaged root images."""
    good = (qemu.BUILD / qemu.ARCH / 'root.img').read_bytes()
    wrecks = {'empty': b'\0' * BLOCK, 'half': good[:len(good) // 2],
              'one-block': good[:BLOCK], 'noise':
              random.Random(seed).randbytes(1 << 20)}
    for number in range(count):
        image, wounds = damage(good, random.Random(f'{seed}:{number}'))
        wrecks[f'{seed}:{number} {wounds}'] = image
    for number, (name, image) in enumerate(wrecks.items()):
        path = os.path.join(folder, f'{number}.img')
        with open(path, 'wb') as f:
            f.write(image)
        yield f'image {name}', {'initrd': path, 'args': {'test': 'file'},
                                'kernel': qemu.Config().kernel}
    yield 'image none', {'initrd': None, 'args': {'test': 'file'},
                         'kernel': qemu.Config().kernel}


def allocation_cases(seed, count):
    """The n-th allocation since boot fails, once."""
    rng = random.Random(seed)
    for n in sorted({*range(1, 9), *(int(10 ** rng.uniform(1, 5))
                                     for _ in range(count))}):
        yield f'failat {n}', {'args': {'test': 'proc', 'failat': n}}


def ask(machine, command, answer):
    """The answer of a command in the shell; the first try may be what fails."""
    for _ in range(2):
        machine.send(command + '\n')
        match = machine.expect(answer + r'|\$ ', timeout=20)
        if not match[0].endswith(b'$ '):
            machine.expect(r'\$ ', timeout=20)
            return match
    raise TimeoutError(f'{command}: no answer in two tries')


def prompt(n, **config):
    """Boot to the prompt with the n-th allocation failing, and work there.
    (failed: whether there were as many, what is wrong or '')"""
    machine = qemu.Machine(qemu.Config(name=f'prompt-{n}', silence=60,
                                       args={'failat': n}, **config))
    with machine:
        try:
            machine.expect(r'\$ ', timeout=30)
            ask(machine, 'echo alpha beta | wc', r'\s1\s+2\s+11\b')
            told = ask(machine, 'grep failed_allocs /proc/vmstat',
                       r'failed_allocs\s+(\d+)')
        except (TimeoutError, EOFError) as error:
            return True, f'{error}'.splitlines()[0][:200]
        harm = HARM.search(machine.console.text())
        return int(told[1]) > 0, harm[0].strip() if harm else ''


def every_prompt():
    """prompt() for n = 1, 2, ... until no allocation is left to fail."""
    findings, n, failed = [], 0, True
    while failed:
        n += 1
        failed, wrong = prompt(n, cpus=1 + n % 4)
        if wrong:
            findings.append({'case': f'prompt {n}', 'finding': wrong})
            print(f'BAD allocation {n}: {wrong}', flush=True)
    print(f'{n - 1} allocations to the prompt, each failed once, '
          f'{len(findings)} findings')
    (qemu.BUILD / f'faults-prompt-{qemu.ARCH}.json').write_text(json.dumps(
        {'kind': 'faults-prompt', 'arch': qemu.ARCH, 'planned': n - 1,
         'run': n - 1, 'failed': len(findings), 'rows': findings}, indent=1))
    return 1 if findings or n == 1 else 0


def argument_cases():
    for words in ({'vm': 'nonsense'}, {'tick': '0'}, {'tick': 'soon'},
                  {'tick': '99999999999999999999us'}, {'failat': '-1'},
                  {'relax': 'maybe'}, {'tlb.targets': ''},
                  {'tlb.asidbits': '99'}, {'tlb.asidbits': '0'},
                  {'init': '/no/such/program'}, {'init': '/bin'},
                  {'noise': 'x' * 1500}, {'=': '='}, {'fuzz': 'seed'}):
        said = ' '.join(f'{k}={v}'[:40] for k, v in words.items())
        yield f'argument {said}', {'args': {'test': 'pipe', **words},
                                   'vm': words.get('vm', 'classic')}


def judge(result):
    """'' when the end is a defined one, else what is wrong with it."""
    if result.outcome in ('pass', 'fail', 'incomplete'):
        return ''
    if result.outcome == 'panic' and NO_ROOT.match(result.why):
        return ''
    return f'{result.outcome}: {result.why}'


def main():
    ap = argparse.ArgumentParser(usage=__doc__.split('usage:')[1])
    ap.add_argument('--seed', type=int, default=1)
    ap.add_argument('--count', type=int, default=30)
    ap.add_argument('--only', default='')
    ap.add_argument('--prompt', action='store_true')
    args = ap.parse_args()
    if args.prompt:
        return every_prompt()
    kinds, findings = collections.defaultdict(collections.Counter), []
    with tempfile.TemporaryDirectory(prefix='tern-') as folder:
        cases = [*argument_cases(), *allocation_cases(args.seed, args.count),
                 *image_cases(folder, args.seed, args.count)]
        for number, (name, words) in enumerate(cases):
            if args.only not in name:
                continue
            result = qemu.boot(cpus=1 + number % 4, silence=40, total=120,
                               name=f'fault-{name[:60]}', **words)
            wrong = judge(result)
            kinds[name.split()[0]][result.outcome] += 1
            if wrong:
                findings.append({'case': name, 'finding': wrong})
            print(f"{'BAD' if wrong else 'ok':4}{result.outcome:11}"
                  f'{result.seconds:5.1f} s  {name[:100]}  {wrong}',
                  flush=True)
    total = sum(sum(k.values()) for k in kinds.values())
    report = {'kind': 'faults', 'seed': args.seed, 'cases': total,
              'findings': len(findings), **kinds, 'rows': findings}
    if not args.only:
        (qemu.BUILD / 'faults.json').write_text(json.dumps(report, indent=1))
    print(f'{total} cases, {len(findings)} findings')
    return 1 if findings else 0


if __name__ == '__main__':
    sys.exit(main())
