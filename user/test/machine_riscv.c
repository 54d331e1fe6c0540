/* SPDX-License-Identifier: MIT */
/*
 * machine_riscv.c - the half of machine.c that knows RISC-V.
 */
#include "machine.h"

#define WORD(name, word)	{ name, (const uint32_t[]){ word }, 4 }

const struct insn privileged[] = {
	WORD("csrr sstatus", 0x10002573),
	WORD("csrw sstatus", 0x10051073),
	WORD("csrr satp", 0x18002573),
	WORD("csrw satp", 0x18051073),
	WORD("csrw stvec", 0x10551073),
	WORD("csrr mstatus", 0x30002573),
	WORD("csrw stimecmp", 0x14d51073),
	WORD("sret", 0x10200073),
	WORD("mret", 0x30200073),
	WORD("sfence.vma", 0x12000073),
	WORD("csrw time", 0xc0151073),
	WORD("zero", 0),
	WORD("ones", 0xffffffff),
};
const size_t nprivileged = nitems(privileged);
const struct insn return_insn = WORD("ret", 0x00008067);
const struct insn syscall_insn = WORD("ecall", 0x00000073);

void
flush_icache(void)
{
	syscall3(SYS_riscv_flush_icache, 0, 0, 0);
}

void
call_getpid_at(const char *insn)
{
	register long a7 __asm__("a7") = SYS_getpid;

	__asm__ volatile("jr %0" : : "r"(insn), "r"(a7) : "a0", "memory");
}

/* All but zero, ra, sp, gp, tp, a0 and a7; in a0 goes the table. */
#define EACH(X) X(t0, 0) X(t1, 1) X(t2, 2) X(s1, 3) X(a1, 4) X(a2, 5)	\
	X(a3, 6) X(a4, 7) X(a5, 8) X(a6, 9) X(s2, 10) X(s3, 11)		\
	X(s4, 12) X(s5, 13) X(s6, 14) X(s7, 15) X(s8, 16) X(s9, 17)	\
	X(s10, 18) X(s11, 19) X(t3, 20) X(t4, 21) X(t5, 22) X(t6, 23)
#define LOAD(reg, i)	"ld " #reg ", 8*" #i "(a0)\n\t"
#define STORE(reg, i)	"sd " #reg ", 8*" #i "(a0)\n\t"
const size_t npreserved = 24;

void __attribute__((noinline))
keep_registers(const unsigned long *in, unsigned long *out, long nr)
{
	register const unsigned long *a0 __asm__("a0") = in;
	register long a7 __asm__("a7") = nr;

	__asm__ volatile(
	    "addi sp, sp, -16\n\t"
	    "sd %[out], 0(sp)\n\t"
	    EACH(LOAD)
	    "ecall\n\t"
	    "ld a0, 0(sp)\n\t"
	    "addi sp, sp, 16\n\t"
	    EACH(STORE)
	    : "+r"(a0)
	    : [out] "r"(out), "r"(a7)
	    : "t0", "t1", "t2", "s1", "a1", "a2", "a3", "a4", "a5", "a6",
	      "s2", "s3", "s4", "s5", "s6", "s7", "s8", "s9", "s10", "s11",
	      "t3", "t4", "t5", "t6", "memory");
}

bool
machine_is_fresh(void)
{
	return true;
}

/* The hardware does it, or somebody for it. */
static void
misaligned_access(void)
{
	uint64_t words[2] = { 0x1122334455667788, 0 };
	void *odd = (char *)words + 1;

	EXPECT_EQ(*(volatile uint32_t *)odd, 0x44556677);
}

const struct ktap_test machine_tests[] = {
	TEST(misaligned_access, 0),
};
const size_t nmachine_tests = nitems(machine_tests);
