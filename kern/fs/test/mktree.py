# SPDX-License-Identifier: MIT
"""Make the directory tree from which the images of fs_test are built.

usage: mktree.py DIR        (DIR is replaced)

It has what a reader can get wrong: files that end on and beside block
boundaries, files with indirect blocks of all three levels and holes, short and
long symbolic links, links that loop, directories of several blocks.
"""

import os
import pathlib
import random
import shutil
import sys


def main():
    root = pathlib.Path(sys.argv[1])
    shutil.rmtree(root, ignore_errors=True)
    rng = random.Random(2)
    for name in ('dev', 'proc', 'sizes', 'links', 'many', 'deep/er/still'):
        (root / name).mkdir(parents=True)
    for size in (0, 1, 59, 60, 1023, 1024, 1025, 4095, 4096, 4097, 12288,
                 12289, 49152, 49153, 300000):
        (root / 'sizes' / str(size)).write_bytes(rng.randbytes(size))
    # Pages with data here and there; 70 MB is behind the double indirect
    # blocks of a file system with 1 KiB blocks.
    with open(root / 'sizes' / 'holes', 'wb') as f:
        for at in (0, 11 << 12, 20 << 12, 5 << 20, 66 << 20, 70 << 20):
            f.seek(at)
            f.write(rng.randbytes(4096))
        f.truncate((70 << 20) + 10000)
    links = root / 'links'
    os.symlink('../sizes/1025', links / 'file')
    os.symlink('/sizes', links / 'absolute')
    os.symlink('x' * 59, links / 'short')
    os.symlink('../' * 40 + 'sizes/60', links / 'long')
    os.symlink('loop2', links / 'loop1')
    os.symlink('loop1', links / 'loop2')
    os.symlink('.', links / 'here')
    os.symlink('nowhere', links / 'dangling')
    for i in range(400):
        (root / 'many' / f'a-rather-long-name-of-a-file-{i}').touch()
    (root / 'many' / ('n' * 255)).write_text('long name\n')
    (root / 'deep/er/still/bottom').write_text('bottom\n')
    (root / 'program').write_text('#!\n')
    (root / 'program').chmod(0o755)


main()
