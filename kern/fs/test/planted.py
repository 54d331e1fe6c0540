# SPDX-License-Identifier: MIT
"""Bugs that fs_test must find: `make fs-planted`.

Each is one replacement in one source file.  The tests are built with it in a
folder of their own, and must fail.
"""

import os
import pathlib
import shutil
import subprocess
import sys

TOP = pathlib.Path(__file__).resolve().parents[3]
WORK = TOP / 'build/host/fs-planted'
SET_DOTDOT = '''			error = ext2_dir_set(ext2_inode_of(r->ip), &up,
			    &r->to->vfs);'''

PLANTED = {
    'tail of a page is not zeroed': (
        'ext2_file.c',
        '	memset((char *)page_to_virt(pg) + used, 0, '
        'PAGE_SIZE - used);\n', ''),
    'a new block is read from the disk': (
        'ext2_file.c', 'whole = block == 0 || pos', 'whole = pos'),
    'append goes to the position': (
        'ext2_file.c', 'f->pos = pos = ei->vfs.size;', 'f->pos = pos;'),
    'dot-dot is left behind': (
        'ext2_name.c', SET_DOTDOT, '			error = 0;'),
    'a replaced file keeps its link': (
        'ext2_name.c', 'error = lose_name(&r->to->vfs, r->victim);',
        'error = 0;'),
    'taken blocks are not marked': (
        'ext2_alloc.c', '	if (i < bits)\n		bit_flip(data, i);\n', ''),
    'sync forgets metadata': (
        'ext2.c', '	error = write_super(fs, false);\n'
        '	vm_object_flush(&fs->meta);\n',
        '	error = write_super(fs, false);\n'),
    'sync forgets contents': (
        'ext2.c', '		vm_object_flush(&fs->pool[i].object);\n'
        '	ext2_freed_begin', '		;\n	ext2_freed_begin'),
    'indirect blocks are not freed': (
        'ext2_map.c', '		page_drop(pg);\n	}\n	free_block(ei, block);',
        '		page_drop(pg);\n		return;\n	}\n'
        '	free_block(ei, block);'),
    'what cannot be given back is lost': (
        'ext2_alloc.c', '	m->nfreed[0] += m->nfreed[1];\n',
        '	memset(m->freed[0], 0, set_bytes(m));\n'),
    'a full directory does not grow': (
        'ext2_dir.c', '	dir->vfs.size += fs->block_size;\n', ''),
}


def make_tree():
    shutil.rmtree(WORK, ignore_errors=True)
    WORK.mkdir(parents=True)
    for part in ('Makefile', 'user', 'grade'):
        (WORK / part).symlink_to(TOP / part)
    shutil.copytree(TOP / 'kern', WORK / 'kern')


def found(name, source, old, new):
    path = WORK / 'kern/fs' / source
    text = (TOP / 'kern/fs' / source).read_text()
    if text.count(old) != 1:
        sys.exit(f'planted bug "{name}" does not fit {source} any more')
    path.write_text(text.replace(old, new))
    built = subprocess.run(['make', '-s', 'build/host/fs/fs_test'], cwd=WORK,
                           capture_output=True, text=True)
    if built.returncode != 0:
        sys.exit(f'"{name}" does not build:\n{built.stderr[-2000:]}')
    env = dict(os.environ, PATH=os.environ['PATH'] + ':/usr/sbin:/sbin')
    ran = subprocess.run(
        ['build/host/fs/fs_test', str(TOP / 'build/host/fs/tree'),
         str(TOP / 'build/host/fs/4096.img'), '1', '500'], cwd=WORK, env=env,
        capture_output=True, text=True, errors='replace', timeout=600)
    path.write_text(text)
    return ran.returncode != 0


def main():
    wanted = sys.argv[1:]
    missed = []
    make_tree()
    for name, change in PLANTED.items():
        if wanted and not any(w in name for w in wanted):
            continue
        ok = found(name, *change)
        print(f'{"found" if ok else "MISSED"}: {name}', flush=True)
        missed += [] if ok else [name]
    shutil.rmtree(WORK, ignore_errors=True)
    return 1 if missed else 0


if __name__ == '__main__':
    sys.exit(main())
