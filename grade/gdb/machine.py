# SPDX-License-Identifier: MIT
"""What the gdb commands know about a machine: tables, and no gdb.

One Machine a port.  The numbers are those of kern/arch/PORT/machine/*.h;
grade/suites/test_gdb.py compares them.  A page-table entry is decoded by its
table of bits, so that a port with another format adds a table, not code.
"""

import dataclasses

PAGE_SHIFT = 12
PAGE_SIZE = 1 << PAGE_SHIFT

EMPTY, TABLE, LEAF, NOACCESS, SOFT = 'empty', 'table', 'leaf', 'no-access', \
    'software word'
SOFT_KINDS = {1: 'swap slot', 2: 'busy page',      # PMAP_SOFT_* of vm/pmap.h
              3: 'was dirty'}


@dataclasses.dataclass(frozen=True)
class Bit:
    """One bit of an entry: C name, letter in listings, meaning."""
    name: str
    mask: int
    letter: str
    text: str


@dataclasses.dataclass(frozen=True)
class Format:
    """Page-table entries of a machine."""
    levels: int
    index_bits: int
    bits: tuple             # of Bit, as `vm pt` prints them
    valid: int              # the hardware uses the entry
    leaf: int               # any of these in a valid entry: a leaf ...
    leaf_always: int        # ... and up to this level without them (-1: none)
    soft: int               # in an invalid entry: a software word
    soft_shift: int
    frame_mask: int         # of the raw entry
    frame_shift: int        # left shift of the masked bits to an address
    rights: tuple           # (letter, mask, value of mask & entry)

    def kind(self, raw, level):
        if raw & self.valid:
            leaf = raw & self.leaf or level <= self.leaf_always
            return LEAF if leaf else TABLE
        if raw & self.soft:
            return SOFT
        return NOACCESS if raw else EMPTY

    def pa(self, raw):
        masked = raw & self.frame_mask
        shift = self.frame_shift
        return masked << shift if shift >= 0 else masked >> -shift

    def names(self, raw):
        """'V R W' of the bits that are set."""
        return ' '.join(b.letter for b in self.bits if raw & b.mask)

    def explain(self, raw):
        """Lines `name  meaning` of the bits that are set."""
        return [f'{b.letter:4} {b.name:9} {b.text}'
                for b in self.bits if raw & b.mask]

    def access(self, raw):
        """'rwx' as the hardware would grant it to somebody."""
        return ''.join(c if raw & mask == want else '-'
                       for c, mask, want in self.rights)

    def soft_word(self, raw):
        word = raw >> self.soft_shift
        kind = SOFT_KINDS.get(word & 3, f'kind {word & 3}')
        return f'{kind} {word >> 2:#x}'

    def index(self, va, level):
        return va >> (PAGE_SHIFT + self.index_bits * level) & \
            ((1 << self.index_bits) - 1)

    def size(self, level):
        """Bytes that one entry of a level covers."""
        return PAGE_SIZE << (self.index_bits * level)

    def canonical(self, va):
        """Sign-extend the highest bit that is translated."""
        top = PAGE_SHIFT + self.index_bits * self.levels
        va &= (1 << top) - 1
        return va | ((1 << 64) - (1 << top) if va >> (top - 1) else 0)


@dataclasses.dataclass(frozen=True)
class Machine:
    """One port."""
    name: str
    pte: Format
    user_max: int
    direct_base: int
    image_base: int
    image_offset: int
    kstack: tuple           # window of kernel stacks
    kstack_size: int
    root_user_entries: int
    # Registers: of struct context in gdb's names, and what a trap saves.
    context: tuple          # (gdb register, field of struct context)
    trapframe: tuple        # (gdb register, field of struct trapframe)
    resume: str             # field of struct context: where a switch returns
    trap_entry: str         # file whose frames are trap frames, at sp
    alias: dict             # gdb's own names of pc and sp, if others
    paging: tuple           # (register, shift): not 0 when a table is loaded
    mode: tuple             # (register, mask): privilege
    modes: dict             # its values
    lend: object            # privilege that a reader of kernel memory needs

    def phys(self, va):
        """Physical address of a direct-map or image address."""
        if va >= self.image_base:
            return va - self.image_offset
        return va - self.direct_base


SV39 = Format(
    levels=3, index_bits=9,
    bits=(
        Bit('PTE_KEEP', 0x200, 'KEEP', 'software: a no-access leaf'),
        Bit('PTE_COW', 0x100, 'COW', 'software: copy before writing'),
        Bit('PTE_D', 0x080, 'D', 'dirty: written since it was cleared'),
        Bit('PTE_A', 0x040, 'A', 'accessed since it was cleared'),
        Bit('PTE_G', 0x020, 'G', 'global: in every address space'),
        Bit('PTE_U', 0x010, 'U', 'user mode may use it, the kernel may not'),
        Bit('PTE_X', 0x008, 'X', 'execute'),
        Bit('PTE_W', 0x004, 'W', 'write'),
        Bit('PTE_R', 0x002, 'R', 'read'),
        Bit('PTE_V', 0x001, 'V', 'valid'),
    ),
    valid=0x001, leaf=0x00e, leaf_always=-1, soft=0x002, soft_shift=2,
    frame_mask=((1 << 44) - 1) << 10, frame_shift=2,
    rights=(('r', 0x2, 0x2), ('w', 0x4, 0x4), ('x', 0x8, 0x8)),
)

_S = tuple((f's{n}' if n else 'fp', f's[{n}]') for n in range(12))

RISCV = Machine(
    name='riscv', pte=SV39,
    user_max=0x4000000000,
    direct_base=0xffffffc000000000,
    image_base=0xffffffff80000000,
    image_offset=0xffffffff00000000,
    kstack=(0xffffffe000000000, 0xffffffe040000000),
    kstack_size=1 << 14,
    root_user_entries=256,
    context=(('pc', 'ra'), ('sp', 'sp'), ('gp', 'gp')) + _S,
    trapframe=(('pc', 'pc'), ('ra', 'ra')) +
    tuple((r, r) for r in ('t0', 't1', 't2', 'a0', 'a1', 'a2', 'a3', 'a4',
                           'a5', 'a6', 'a7')),
    resume='ra',
    trap_entry='arch/riscv/trap_entry.S', alias={},
    paging=('satp', 60), mode=('priv', 3),
    modes={0: 'user', 1: 'kernel', 3: 'firmware'}, lend=1,
)

X86_PTE = Format(
    levels=4, index_bits=9,
    bits=(
        Bit('PTE_NX', 1 << 63, 'NX', 'no execution (alone: a no-access leaf)'),
        Bit('PTE_COW', 0x200, 'COW', 'software: copy before writing'),
        Bit('PTE_G', 0x100, 'G', 'global: in every address space'),
        Bit('PTE_PS', 0x080, 'PS', 'a leaf above the lowest level'),
        Bit('PTE_D', 0x040, 'D', 'dirty: written since it was cleared'),
        Bit('PTE_A', 0x020, 'A', 'accessed since it was cleared'),
        Bit('PTE_U', 0x004, 'U', 'user mode may use it, the kernel may not'),
        Bit('PTE_W', 0x002, 'W', 'write'),
        Bit('PTE_P', 0x001, 'P', 'present: valid, and readable'),
    ),
    valid=0x001, leaf=0x080, leaf_always=0, soft=0x002, soft_shift=2,
    frame_mask=0x000ffffffffff000, frame_shift=0,
    rights=(('r', 0x1, 0x1), ('w', 0x3, 0x3), ('x', 1 << 63 | 1, 1)),
)

_CALLEE = tuple((r, r) for r in ('rbx', 'rbp', 'r12', 'r13', 'r14', 'r15'))

X86_64 = Machine(
    name='x86_64', pte=X86_PTE,
    user_max=0x7ffffffff000,
    direct_base=0xffff800000000000,
    image_base=0xffffffff80000000,
    image_offset=0xffffffff80000000,
    kstack=(0xffffc00000000000, 0xffffc00040000000),
    kstack_size=1 << 14,
    root_user_entries=256,
    context=(('pc', 'rip'), ('sp', 'rsp')) + _CALLEE,
    trapframe=(('pc', 'rip'), ('sp', 'rsp')) +
    tuple((r, r) for r in ('rax', 'rcx', 'rdx', 'rsi', 'rdi', 'r8', 'r9',
                           'r10', 'r11')),
    resume='rip',
    trap_entry='arch/x86_64/trap_entry.S', alias={'pc': 'rip', 'sp': 'rsp'},
    # the stub reads memory with the eyes of the kernel in any mode
    paging=('cr0', 31), mode=('cs', 3), modes={0: 'kernel', 3: 'user'},
    lend=None,
)

# gdb's name of the architecture -> Machine
MACHINES = {'riscv:rv64': RISCV, 'i386:x86-64': X86_64}
