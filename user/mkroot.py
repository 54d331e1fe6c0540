# SPDX-License-Identifier: MIT
"""Stage the root directory and make the ext2 image from it.

usage: mkroot.py STAGE [--image FILE] [--strip OBJCOPY] --bin P... --test P...
                 [--machine riscv|x86_64 --extra FILE...]

STAGE gets bin/ and test/ with the (stripped) programs, etc/ with text, and
under test/ the files that the in-OS tests read.  What is extra goes in as it
is: programs to bin/, the rest to extra/.  Times, owners and identifiers in the
image are fixed, so the same inputs give the same image.
"""

import argparse
import os
import pathlib
import shutil
import struct
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent / 'test'))
import bad_elf  # noqa: E402

MIB = 1 << 20
IMAGE_MIB = 16
UUID = '7e4e0000-0000-4000-8000-000000000001'
EPOCH = 1767225600      # 2026-01-01
MOTD = """Welcome to Tern.
Try: ls /bin, ps, top, free, maps, vmstat, edit notes, stress memory &, ktest --list
"""


def pattern(size, seed=1):
    """Bytes that user/test/file.c makes again: xorshift64, low byte first."""
    out, x = bytearray(), seed
    while len(out) < size:
        x ^= x << 13 & (1 << 64) - 1
        x ^= x >> 7
        x ^= x << 17 & (1 << 64) - 1
        out += x.to_bytes(8, 'little')
    return bytes(out[:size])


def put(path, data, mode=0o644):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    path.chmod(mode)


def stage_programs(stage, args):
    for folder, programs in (('bin', args.bin), ('test', args.test)):
        (stage / folder).mkdir(parents=True)
        for program in map(pathlib.Path, programs):
            target = stage / folder / program.name
            shutil.copyfile(program, target)
            if args.strip:
                subprocess.run([args.strip, '--strip-all', str(target)],
                               check=True)
            target.chmod(0o755)
    for name in ('halt', 'reboot'):
        (stage / 'bin' / name).symlink_to('poweroff')


def stage_files(stage):
    """What user/test/file.c expects; change both together."""
    files = stage / 'test' / 'files'
    put(stage / 'etc' / 'motd', MOTD.encode())
    put(files / 'empty', b'')
    put(files / 'hello.txt', b'hello, world\nsecond line\n')
    put(files / 'big', pattern(MIB))
    put(files / 'odd', pattern(3 * 4096 + 17, seed=2))
    put(files / ('n' * 255), b'long name\n')
    put(files / 'noexec', b'\x7fELF', 0o644)
    deep = files
    for level in range(16):
        deep = deep / ('d%d' % level)
    put(deep / 'bottom', b'bottom\n')
    for i in range(300):
        put(files / 'many' / ('file-%03d' % i), b'%d\n' % i)
    with open(files / 'sparse', 'wb') as f:     # reaches double indirection
        f.write(b'start')
        f.seek(6 * MIB)
        f.write(b'end')
    (files / 'sparse').chmod(0o644)
    (files / 'link').symlink_to('hello.txt')
    (files / 'abslink').symlink_to('/test/files/hello.txt')
    (files / 'dirlink').symlink_to('many')
    (files / 'longlink').symlink_to('./' * 40 + 'hello.txt')
    (files / 'dangling').symlink_to('nowhere')
    (files / 'loop').symlink_to('loop')


def stage_bad_elfs(stage):
    good = (stage / 'bin' / 'true').read_bytes()
    for name, data in bad_elf.generate(good).items():
        put(stage / 'test' / 'bad-elf' / name, data, 0o755)


ELF_MACHINES = {'riscv': 243, 'x86_64': 62}
PT_INTERP = 3


def why_not(program, machine):
    """Why Tern cannot run an ELF file; None if it can."""
    data = program.read_bytes()
    if len(data) < 64 or data[4:6] != b'\2\1':
        return 'is no 64-bit little-endian program'
    kind, number = struct.unpack_from('<HH', data, 16)
    if machine and number != ELF_MACHINES[machine]:
        return f'is for another machine than {machine}'
    if kind not in (2, 3):
        return 'is not linked'
    start, = struct.unpack_from('<Q', data, 32)
    size, count = struct.unpack_from('<HH', data, 54)
    for at in range(start, start + size * count, size):
        if at + 4 <= len(data) and \
                struct.unpack_from('<I', data, at)[0] == PT_INTERP:
            return 'needs a dynamic linker: link it with -static'
    return None


def stage_extra(stage, args):
    for path in map(pathlib.Path, args.extra):
        if path.is_dir():
            shutil.copytree(path, stage / 'extra' / path.name, symlinks=True)
            continue
        with open(path, 'rb') as f:
            program = f.read(4) == b'\x7fELF'
        why = why_not(path, args.machine) if program else None
        target = stage / ('bin' if program else 'extra') / path.name
        if why or target.exists():
            sys.exit(f'{path}: {why or "the image has a file of this name"}')
        put(target, path.read_bytes(), 0o755 if program else
            path.stat().st_mode & 0o777)


def size_of(stage):
    """MiB: the usual size, and more when there is more in it than usual."""
    used = sum(-(-p.stat().st_size // 4096) * 4096 for folder in
               ('bin', 'extra') for p in (stage / folder).rglob('*')
               if p.is_file() and not p.is_symlink())
    return max(IMAGE_MIB, -(-used // MIB) + IMAGE_MIB // 2)


def make_image(stage, image):
    for folder in ('dev', 'proc', 'tmp'):
        (stage / folder).mkdir()
    env = dict(os.environ, SOURCE_DATE_EPOCH=str(EPOCH),
               E2FSPROGS_FAKE_TIME=str(EPOCH),
               PATH=os.environ.get('PATH', '') + ':/usr/sbin:/sbin')
    new = image.with_suffix('.img%d' % os.getpid())
    new.unlink(missing_ok=True)
    subprocess.run(
        ['mke2fs', '-q', '-t', 'ext2', '-b', '4096', '-m', '0', '-N', '1024',
         '-O', '^resize_inode', '-L', 'tern', '-U', UUID, '-E',
         'hash_seed=%s,root_owner=0:0' % UUID, '-d', str(stage), str(new),
         '%dm' % size_of(stage)], check=True, env=env, stdout=subprocess.DEVNULL)
    edits = []
    for path in ['/'] + sorted('/' + str(p.relative_to(stage))
                               for p in stage.rglob('*')):
        edits += ['sif %s %s %s' % (path, field, value) for field, value in
                  (('uid', 0), ('gid', 0), ('atime', '@%d' % EPOCH),
                   ('ctime', '@%d' % EPOCH), ('mtime', '@%d' % EPOCH))]
    done = subprocess.run(['debugfs', '-w', '-f', '-', str(new)], env=env,
                          input='\n'.join(edits), text=True, check=True,
                          stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    trouble = done.stderr.splitlines()[1:]      # the first line is a banner
    if trouble:
        sys.exit('debugfs: ' + '\n'.join(trouble))
    new.replace(image)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('stage', type=pathlib.Path)
    parser.add_argument('--image', type=pathlib.Path)
    parser.add_argument('--strip')
    parser.add_argument('--bin', nargs='*', default=[])
    parser.add_argument('--test', nargs='*', default=[])
    parser.add_argument('--machine', choices=ELF_MACHINES)
    parser.add_argument('--extra', nargs='*', default=[])
    args = parser.parse_args()
    os.umask(0o022)
    stage = args.stage.with_suffix('.%d' % os.getpid())     # not half done
    try:
        stage_programs(stage, args)
        stage_files(stage)
        stage_bad_elfs(stage)
        stage_extra(stage, args)
        if args.image:
            make_image(stage, args.image)
    except BaseException:
        shutil.rmtree(stage, ignore_errors=True)
        raise
    shutil.rmtree(args.stage, ignore_errors=True)
    stage.replace(args.stage)


if __name__ == '__main__':
    main()
