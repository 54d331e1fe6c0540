/* SPDX-License-Identifier: MIT */
/*
 * sbi.c - calls to the firmware.
 */
#include "sbi.h"

#define SBI_LEGACY_PUTCHAR 0x01
#define SBI_TIME	   0x54494d45
#define SBI_IPI		   0x735049
#define SBI_RFENCE	   0x52464e43
#define SBI_HSM		   0x48534d
#define SBI_SRST	   0x53525354

#define RFENCE_SFENCE_ASID 2

static long
sbi_call(unsigned long ext, unsigned long fid, const uint64_t arg[5])
{
	register uint64_t a0 __asm__("a0") = arg[0];
	register uint64_t a1 __asm__("a1") = arg[1];
	register uint64_t a2 __asm__("a2") = arg[2];
	register uint64_t a3 __asm__("a3") = arg[3];
	register uint64_t a4 __asm__("a4") = arg[4];
	register uint64_t a6 __asm__("a6") = fid;
	register uint64_t a7 __asm__("a7") = ext;

	__asm__ volatile("ecall"
			 : "+r"(a0), "+r"(a1)
			 : "r"(a2), "r"(a3), "r"(a4), "r"(a6), "r"(a7)
			 : "memory");
	return (long)a0;
}

#define SBI_CALL(ext, fid, ...) \
	sbi_call(ext, fid, (const uint64_t[5]){ __VA_ARGS__ })

long
sbi_set_timer(uint64_t when_ticks)
{
	return SBI_CALL(SBI_TIME, 0, when_ticks);
}

/* The firmware looks at every hart from the base on. */
long
sbi_send_ipi(uint64_t harts)
{
	unsigned base = (unsigned)__builtin_ctzll(harts);

	return SBI_CALL(SBI_IPI, 0, harts >> base, base);
}

long
sbi_remote_fence_asid(uint64_t harts, unsigned asid)
{
	return SBI_CALL(SBI_RFENCE, RFENCE_SFENCE_ASID, harts, 0, 0,
	    UINT64_MAX, asid);
}

long
sbi_hart_start(uint64_t hart, paddr_t entry, uint64_t arg)
{
	return SBI_CALL(SBI_HSM, 0, hart, entry, arg);
}

long
sbi_system_reset(void)
{
	return SBI_CALL(SBI_SRST, 0, 0, 0);
}

void
sbi_putchar(char c)
{
	SBI_CALL(SBI_LEGACY_PUTCHAR, 0, (unsigned char)c);
}
