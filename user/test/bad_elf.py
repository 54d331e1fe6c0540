# SPDX-License-Identifier: MIT
"""Malformed and truncated ELF files for the in-OS test group `elf`.

Each is one change to a good program.  user/test/elf.c lists the same names
and what exec must answer.
"""

import random
import struct

EHDR = struct.Struct('<16sHHIQQQIHHHHHH')
PHDR = struct.Struct('<IIQQQQQQ')
E = dict(ident=0, type=1, machine=2, version=3, entry=4, phoff=5, shoff=6,
         flags=7, ehsize=8, phentsize=9, phnum=10)
P = dict(type=0, flags=1, offset=2, vaddr=3, paddr=4, filesz=5, memsz=6,
         align=7)
PT_LOAD, PT_INTERP, PF_X = 1, 3, 1


class Elf:
    """A good program that can be spoilt field by field."""

    def __init__(self, data):
        self.data = bytearray(data)

    def header(self, **fields):
        values = list(EHDR.unpack_from(self.data))
        for name, value in fields.items():
            values[E[name]] = value
        EHDR.pack_into(self.data, 0, *values)
        return self

    def ident(self, index, value):
        self.data[index] = value
        return self

    def _segments(self):
        head = EHDR.unpack_from(self.data)
        return [head[E['phoff']] + i * head[E['phentsize']]
                for i in range(head[E['phnum']])]

    def text_at(self):
        for at in self._segments():
            ph = PHDR.unpack_from(self.data, at)
            if ph[P['type']] == PT_LOAD and ph[P['flags']] & PF_X:
                return at
        raise ValueError('no executable segment')

    def text(self, **fields):
        """Change the program header of the executable segment; a callable
        value gets the old one."""
        at = self.text_at()
        values = list(PHDR.unpack_from(self.data, at))
        for name, value in fields.items():
            old = values[P[name]]
            values[P[name]] = value(old) if callable(value) else value
        PHDR.pack_into(self.data, at, *values)
        return self

    def no_loads(self):
        for at in self._segments():
            if PHDR.unpack_from(self.data, at)[0] == PT_LOAD:
                struct.pack_into('<I', self.data, at, 0)
        return self

    def cut_in_text(self):
        ph = PHDR.unpack_from(self.data, self.text_at())
        del self.data[ph[P['offset']] + ph[P['filesz']] // 2:]
        return self


def generate(good):
    """good: bytes of a working program.  Returns {name: bytes}."""
    size = len(good)

    def elf():
        return Elf(good)

    made = {
        'bad_magic': elf().ident(1, ord('F')),
        'class32': elf().ident(4, 1),
        'big_endian': elf().ident(5, 2),
        'wrong_machine': elf().header(machine=0x28),
        'type_rel': elf().header(type=1),
        'type_core': elf().header(type=4),
        'phentsize_small': elf().header(phentsize=32),
        'phentsize_zero': elf().header(phentsize=0),
        'phnum_zero': elf().header(phnum=0),
        'phnum_huge': elf().header(phnum=0xffff),
        'phoff_past_end': elf().header(phoff=size + 4096),
        'phoff_wraps': elf().header(phoff=2**64 - 16),
        'no_load': elf().no_loads(),
        'filesz_gt_memsz': elf().text(memsz=lambda old: old // 2),
        'filesz_past_end': elf().text(filesz=size + 65536,
                                      memsz=size + 65536),
        'offset_past_end': elf().text(offset=2**40),
        'offset_wraps': elf().text(offset=lambda old: 2**64 - 4096 + old
                                   % 4096),
        'offset_misaligned': elf().text(offset=lambda old: old + 8,
                                        filesz=8, memsz=8),
        'vaddr_kernel': elf().text(vaddr=lambda old: 0xffffffc000000000
                                   + old % 4096),
        'vaddr_noncanonical': elf().text(vaddr=lambda old: 0x0100000000000000
                                         + old % 4096),
        'vaddr_wraps': elf().text(vaddr=lambda old: 2**64 - 4096 + old
                                  % 4096, memsz=8192),
        'memsz_huge': elf().text(memsz=2**63),
        'memsz_wraps': elf().text(memsz=2**64 - 4096),
        'entry_kernel': elf().header(entry=0xffffffc080000000),
        'entry_unmapped': elf().header(entry=0x7000000),
        'truncated': elf().cut_in_text(),
    }
    files = {name: bytes(e.data) for name, e in made.items()}
    noise = random.Random(1)
    files.update({
        'empty': b'',
        'one_byte': b'\x7f',
        'only_magic': good[:4],
        'only_ident': good[:16],
        'half_header': good[:40],
        'only_header': good[:64],
        'plain_text': b'this is not a program\n',
        'noise': bytes(noise.randrange(256) for _ in range(4096)),
        'magic_and_noise': good[:16] + bytes(noise.randrange(256)
                                             for _ in range(4096)),
    })
    return files
