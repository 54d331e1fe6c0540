/* SPDX-License-Identifier: MIT */
/*
 * boot.c - from the device tree to struct platform and boot_info.
 *
 * Path: entry.S -> boot_main() -> kmain() (kern/main.c).
 * The tree is read here, once; nothing keeps a pointer into it, so that its
 * memory is free RAM afterwards.  What is missing or broken in it ends in a
 * message on the firmware's console.
 */
#include "arch/boot.h"

#include "arch/cpu.h"
#include "arch/mmu.h"
#include "arch/pci.h"
#include "fdt.h"
#include "lib/panic.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "platform.h"

struct platform platform;
struct pci_host pci_host;
struct boot_info boot_info = { .cmdline = "" };

static char cmdline[1024];

static void
ranges_add(struct ranges *rs, paddr_t start, uint64_t size)
{
	if (size == 0 || start + size < start)
		return;
	if (rs->n == PLATFORM_RANGES)
		panic("device tree: more than %d ranges", PLATFORM_RANGES);
	rs->r[rs->n].start = start;
	rs->r[rs->n++].end = start + size;
}

/* Registers of the current node: remember to map them, return the address. */
static paddr_t
device(const struct fdt *f, paddr_t *out)
{
	uint64_t start, size;

	if (*out != 0 || !fdt_reg(f, 0, &start, &size))
		return *out;
	ranges_add(&platform.devices, start, size);
	return *out = start;
}

/* ---- first walk: memory, CPUs, /chosen ---- */

static void
scan_memory(const struct fdt *f)
{
	uint64_t start, size;

	for (unsigned i = 0; fdt_reg(f, i, &start, &size); i++)
		ranges_add(&platform.ram, start, size);
}

static void
scan_chosen(const struct fdt *f)
{
	const char *args = fdt_string(f, "bootargs");
	uint32_t n0, n1;
	const uint8_t *start = fdt_prop(f, "linux,initrd-start", &n0);
	const uint8_t *end = fdt_prop(f, "linux,initrd-end", &n1);

	if (args != NULL && strlcpy(cmdline, args, sizeof(cmdline)) >=
	    sizeof(cmdline))
		kprintf("boot: command line cut to %zu bytes\n",
		    sizeof(cmdline) - 1);
	boot_info.cmdline = cmdline;
	if (start == NULL || end == NULL || n0 < 4 || n1 < 4)
		return;
	boot_info.initrd_start = fdt_cells(start, n0 >= 8 ? 2 : 1);
	boot_info.initrd_end = fdt_cells(end, n1 >= 8 ? 2 : 1);
}

static bool
has_extension(const char *isa, const char *ext)
{
	size_t n = strlen(ext);

	for (; (isa = strchr(isa, ext[0])) != NULL; isa++)
		if (strncmp(isa, ext, n) == 0 &&
		    (isa[n] == '_' || isa[n] == 0))
			return true;
	return false;
}

/* A cpu node; the boot hart has place 0 already. */
static void
scan_cpu(const struct fdt *f, unsigned *current)
{
	const char *status = fdt_string(f, "status");
	const char *isa = fdt_string(f, "riscv,isa");
	struct platform *p = &platform;
	uint64_t hart, size;

	*current = MAXCPU;
	if (!fdt_reg(f, 0, &hart, &size) ||
	    (status != NULL && strncmp(status, "ok", 2) != 0))
		return;
	if (isa == NULL || !has_extension(isa, "_sstc"))
		p->sstc = false;
	if (hart == p->hart[0]) {
		*current = 0;
	} else if (p->nharts == MAXCPU || hart >= 64) {
		kprintf("boot: hart %lu stays off\n", hart);
	} else {
		*current = p->nharts++;
		p->hart[*current] = hart;
	}
}

static void
scan_basics(struct fdt *f)
{
	unsigned cpu = MAXCPU;

	while (fdt_next(f)) {
		const char *type = fdt_string(f, "device_type");

		if (f->depth == 1 && strcmp(f->name, "chosen") == 0)
			scan_chosen(f);
		if (f->depth == 1 && strcmp(f->name, "cpus") == 0)
			platform.timebase_hz =
			    fdt_u32(f, "timebase-frequency", 0);
		if (f->depth == 1 && type != NULL &&
		    strcmp(type, "memory") == 0)
			scan_memory(f);
		if (f->depth == 2 && type != NULL && strcmp(type, "cpu") == 0)
			scan_cpu(f, &cpu);
		if (f->depth == 3 && cpu < MAXCPU &&
		    fdt_compatible(f, "riscv,cpu-intc"))
			platform.intc[cpu] = fdt_u32(f, "phandle", 0);
		if (f->depth == 2 &&
		    strcmp(f->path[1], "reserved-memory") == 0) {
			uint64_t start, size;

			for (unsigned i = 0; fdt_reg(f, i, &start, &size); i++)
				ranges_add(&platform.reserved, start, size);
		}
	}
}

/* ---- second walk: devices ---- */

/* "interrupts-extended" is a list of interrupt inputs of CPUs: the place of
 * input @p cause of CPU @p c; false: it is not there. */
static bool
input_place(const struct fdt *f, unsigned cause, unsigned c, unsigned *place)
{
	uint32_t size;
	const uint8_t *p = fdt_prop(f, "interrupts-extended", &size);

	for (unsigned i = 0; p != NULL && i < size / 8; i++)
		if (fdt_cells(p + 8 * i, 1) == platform.intc[c] &&
		    fdt_cells(p + 8 * i + 4, 1) == cause) {
			*place = i;
			return true;
		}
	return false;
}

/* Which of its contexts belongs to supervisor mode of which CPU. */
static void
scan_plic(const struct fdt *f)
{
	enum { SUPERVISOR_EXTERNAL = 9 };

	for (unsigned c = 0; c < platform.nharts; c++)
		(void)input_place(f, SUPERVISOR_EXTERNAL, c,
		    &platform.plic_context[c]);
}

/* Registers that raise a software interrupt of supervisor mode, one a hart. */
static void
scan_sswi(const struct fdt *f)
{
	enum { SUPERVISOR_SOFTWARE = 1, SSWI_STRIDE = 4 };
	paddr_t base = 0;
	unsigned place;

	platform.direct_ipi = device(f, &base) != 0;
	for (unsigned c = 0; c < platform.nharts; c++) {
		if (input_place(f, SUPERVISOR_SOFTWARE, c, &place))
			platform.sswi[c] = base + SSWI_STRIDE * place;
		else
			platform.direct_ipi = false;
	}
}

/* "interrupt-map": 3 cells of address, pin, phandle of the PLIC, interrupt. */
static void
scan_pci_irqs(const struct fdt *f)
{
	enum { ENTRY = 24 };
	uint32_t n;
	const uint8_t *r = fdt_prop(f, "interrupt-map", &n);

	for (; r != NULL && n >= ENTRY; r += ENTRY, n -= ENTRY)
		platform.pci_irq[fdt_cells(r, 1) >> 11 & 3]
				[(fdt_cells(r + 12, 1) - 1) & 3] =
		    (uint8_t)fdt_cells(r + 20, 1);
}

/* "ranges" of the bus: 3 cells on the bus, 2 of ours, 2 of size. */
static void
scan_pci(const struct fdt *f)
{
	enum { PCI_IO = 1, PCI_MEM32 = 2, ENTRY = 28 };
	uint32_t n;
	const uint8_t *r = fdt_prop(f, "ranges", &n);
	uint64_t ecam, ecam_size;

	if (pci_host.ecam != 0 || !fdt_reg(f, 0, &ecam, &ecam_size))
		return;
	pci_host.ecam = ecam;
	pci_host.ecam_size = MIN(ecam_size, 1u << 20); /* bus 0 */
	ranges_add(&platform.devices, ecam, pci_host.ecam_size);
	for (; r != NULL && n >= ENTRY; r += ENTRY, n -= ENTRY) {
		unsigned space = fdt_cells(r, 1) >> 24 & 3;
		struct pci_window w = { .base = fdt_cells(r + 12, 2),
			.bus = fdt_cells(r + 4, 2),
			.size = fdt_cells(r + 20, 2) };

		if (space == PCI_IO)
			pci_host.io = w;
		else if (space == PCI_MEM32)
			pci_host.mem = w;
		else
			continue;
		ranges_add(&platform.devices, w.base, w.size);
	}
	scan_pci_irqs(f);
}

static void
scan_devices(struct fdt *f)
{
	struct platform *p = &platform;

	while (fdt_next(f)) {
		if (fdt_compatible(f, "ns16550a") && device(f, &p->uart) &&
		    p->uart_irq == 0)
			p->uart_irq = fdt_u32(f, "interrupts", 0);
		if (fdt_compatible(f, "sifive,plic-1.0.0") &&
		    device(f, &p->plic))
			scan_plic(f);
		if (fdt_compatible(f, "riscv,aclint-sswi"))
			scan_sswi(f);
		if (fdt_compatible(f, "sifive,test0"))
			device(f, &p->test);
		if (fdt_compatible(f, "google,goldfish-rtc"))
			device(f, &p->rtc);
		if (fdt_compatible(f, "pci-host-ecam-generic"))
			scan_pci(f);
	}
}

/* ---- */

static void
read_tree(paddr_t dtb)
{
	uint64_t start, size;
	struct fdt f;

	if (dtb == 0 || dtb % 8 != 0)
		panic("device tree: none");
	fdt_open(&f, phys_to_virt(dtb));
	for (unsigned i = 0; fdt_reservation(&f, i, &start, &size); i++)
		ranges_add(&platform.reserved, start, size);
	scan_basics(&f);
	fdt_rewind(&f);
	scan_devices(&f);
	if (f.error != NULL)
		panic("device tree: %s", f.error);
	if (platform.ram.n == 0)
		panic("device tree: no memory");
	if (platform.timebase_hz == 0)
		panic("device tree: no timebase-frequency");
}

/* The RAM disk must lie in one piece of RAM; else go on without it. */
static void
check_initrd(void)
{
	struct boot_info *b = &boot_info;

	for (unsigned i = 0; i < platform.ram.n; i++)
		if (b->initrd_start >= platform.ram.r[i].start &&
		    b->initrd_end <= platform.ram.r[i].end &&
		    b->initrd_start <= b->initrd_end)
			return;
	if (b->initrd_end != 0)
		kprintf("boot: initrd outside of RAM, ignored\n");
	b->initrd_start = b->initrd_end = 0;
}

void
boot_main(uint64_t hart, paddr_t dtb)
{
	this_cpu()->hwid = hart;
	platform.hart[0] = hart;
	platform.nharts = 1;
	platform.sstc = true;
	cpu_init();
	read_tree(dtb);
	check_initrd();
	boot_info.ncpus = platform.nharts;
	mmu_init();
	uart_init();
	timer_init();
	kmain();
}
