# SPDX-License-Identifier: MIT
#
# files.mk - every source of the kernel, by layer; no wildcards.
# Paths are relative to the top of the repository.

# lib, sync, mem: no policy
KERN_SRCS := \
	kern/lib/string.c \
	kern/lib/printf.c \
	kern/lib/rbtree.c \
	kern/sync/lockset.c \
	kern/sync/spinlock.c \
	kern/sync/waitq.c \
	kern/sync/sleeplock.c \
	kern/sync/counter.c \
	kern/mem/failpoint.c \
	kern/mem/frame.c \
	kern/mem/kmem.c

# vm: the interface, the page-table engine, the designs
KERN_SRCS += \
	kern/vm/fault.c \
	kern/vm/object.c \
	kern/vm/swap.c \
	kern/vm/pageout.c \
	kern/vm/space.c \
	kern/vm/copy.c \
	kern/vm/design.c \
	kern/vm/pmap.c \
	kern/vm/pmap_share.c \
	kern/vm/pmap_table.c \
	kern/vm/pmap_cpu.c \
	kern/vm/tlb.c \
	kern/vm/tlb_oracle.c \
	kern/vm/asid.c \
	kern/vm/overlay.c \
	kern/vm/region.c \
	kern/vm/pd_policy.c \
	kern/vm/invariants.c \
	kern/vm/classic/classic.c \
	kern/vm/classic/classic_fault.c \
	kern/vm/classic/classic_file.c \
	kern/vm/classic/classic_fork.c \
	kern/vm/classic/classic_page.c \
	kern/vm/classic/classic_swap.c \
	kern/vm/classic/store.c \
	kern/vm/mach/mach.c \
	kern/vm/mach/mach_calls.c \
	kern/vm/mach/mach_check.c \
	kern/vm/mach/mach_fault.c \
	kern/vm/mach/mach_file.c \
	kern/vm/mach/mach_fork.c \
	kern/vm/mach/mach_object.c \
	kern/vm/mach/mach_page.c \
	kern/vm/mach/mach_pageout.c \
	kern/vm/mach/mach_pager.c \
	kern/vm/mach/mach_pv.c \
	kern/vm/mach/vm_map.c \
	kern/vm/mach/vm_resident.c \
	kern/vm/l4/fpage.c \
	kern/vm/l4/mapdb.c \
	kern/vm/l4/sigma0.c \
	kern/vm/l4/l4_ops.c \
	kern/vm/l4/l4_space.c \
	kern/vm/l4/l4_fault.c \
	kern/vm/l4/root_pages.c \
	kern/vm/l4/root_pager.c \
	kern/vm/l4/root_check.c \
	kern/vm/l4/root_fork.c \
	kern/vm/l4/root_file.c \
	kern/vm/l4/root_swap.c \
	kern/vm/null/null.c

# What the host port compiles too: everything up to here.
KERN_SRCS_common := $(KERN_SRCS)

# proc, ipc, sys, main (kernel only)
KERN_SRCS_kernel := \
	kern/proc/sched.c \
	kern/proc/kstack.c \
	kern/proc/id.c \
	kern/proc/job.c \
	kern/proc/thread.c \
	kern/proc/proc.c \
	kern/proc/clone.c \
	kern/proc/exit.c \
	kern/proc/signal.c \
	kern/proc/sigdeliver.c \
	kern/proc/oom.c \
	kern/proc/vm_env.c \
	kern/ipc/pipe.c \
	kern/ipc/futex.c \
	kern/ipc/l4_ipc.c \
	kern/ipc/l4_transfer.c \
	kern/sys/syscall_table.c \
	kern/sys/sys_mem.c \
	kern/sys/sys_mach.c \
	kern/sys/sys_proc.c \
	kern/sys/sys_file.c \
	kern/sys/sys_name.c \
	kern/sys/sys_poll.c \
	kern/sys/sys_signal.c \
	kern/sys/sys_time.c \
	kern/sys/sys_l4.c \
	kern/sys/sys_misc.c \
	kern/sys/elf.c \
	kern/sys/exec.c \
	kern/trap.c \
	kern/bootarg.c \
	kern/panic.c \
	kern/crash.c \
	kern/main.c

# fs, dev
KERN_SRCS_files := \
	kern/proc/block.c \
	kern/proc/console.c \
	kern/proc/device.c \
	kern/proc/file.c \
	kern/proc/stats.c \
	kern/fs/devfs.c \
	kern/fs/ext2.c \
	kern/fs/ext2_alloc.c \
	kern/fs/ext2_dir.c \
	kern/fs/ext2_file.c \
	kern/fs/ext2_inode.c \
	kern/fs/ext2_map.c \
	kern/fs/ext2_name.c \
	kern/fs/inode.c \
	kern/fs/path.c \
	kern/fs/procfs.c \
	kern/fs/procfs_text.c \
	kern/fs/vfs.c \
	kern/fs/writeback.c \
	kern/dev/dev.c \
	kern/dev/null.c \
	kern/dev/pci.c \
	kern/dev/ramdisk.c \
	kern/dev/results.c \
	kern/dev/tty.c \
	kern/dev/virtio_blk.c

# The ports.
KERN_SRCS_riscv := \
	kern/arch/riscv/entry.S \
	kern/arch/riscv/boot.c \
	kern/arch/riscv/fdt.c \
	kern/arch/riscv/cpu.c \
	kern/arch/riscv/trap_entry.S \
	kern/arch/riscv/trap.c \
	kern/arch/riscv/signal.c \
	kern/arch/riscv/switch.S \
	kern/arch/riscv/context.c \
	kern/arch/riscv/mmu.c \
	kern/arch/riscv/page.S \
	kern/arch/riscv/bits.c \
	kern/arch/riscv/ipi.c \
	kern/arch/riscv/timer.c \
	kern/arch/riscv/sbi.c \
	kern/arch/riscv/uart.c \
	kern/arch/riscv/plic.c \
	kern/arch/riscv/results.c
KERN_SRCS_x86_64 := \
	kern/arch/x86_64/entry.S \
	kern/arch/x86_64/boot.c \
	kern/arch/x86_64/acpi.c \
	kern/arch/x86_64/cpu.c \
	kern/arch/x86_64/desc.c \
	kern/arch/x86_64/trap_entry.S \
	kern/arch/x86_64/trap.c \
	kern/arch/x86_64/signal.c \
	kern/arch/x86_64/switch.S \
	kern/arch/x86_64/context.c \
	kern/arch/x86_64/mmu.c \
	kern/arch/x86_64/page.S \
	kern/arch/x86_64/ipi.c \
	kern/arch/x86_64/timer.c \
	kern/arch/x86_64/apic.c \
	kern/arch/x86_64/uart.c \
	kern/arch/x86_64/ioapic.c \
	kern/arch/x86_64/pci.c \
	kern/arch/x86_64/results.c \
	kern/sys/sys_x86_64.c
KERN_SRCS_host :=

KERN_SRCS += $(KERN_SRCS_kernel) $(KERN_SRCS_files)
