# SPDX-License-Identifier: MIT
#
# Tern.  `make help` lists the targets.  Non-recursive: one make knows all.
# Sources are listed in kern/files.mk and user/files.mk, never found by pattern.
# Personal settings (ARCH, CPUS, ...) go into config.mk, which git ignores.

-include config.mk
# What `make test` and `make check` go over; ARCH= narrows it.
ARCHS	:= $(or $(ARCH),riscv x86_64)
ARCH	?= riscv
VM	?= classic
CPUS	?= 4
DEBUG	?= 1
MODE	:= $(if $(filter 0,$(DEBUG)),release,debug)
V	?= 0
Q	:= $(if $(filter 0,$(V)),@,)
say	= $(if $(filter 0,$(V)),@printf '  %-7s %s\n' '$(1)' '$(2)')

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.SUFFIXES:

# --- tools and flags -----------------------------------------------------

CROSS_riscv := riscv64-linux-gnu-
# Native tools where they make x86-64 programs, else cross ones.
CROSS_x86_64 := $(if $(filter x86_64%,$(shell gcc -dumpmachine 2>/dev/null)),,x86_64-linux-gnu-)
CROSS	:= $(CROSS_$(ARCH))
CC	:= $(CROSS)gcc
LD	:= $(CROSS)ld
HOSTCC	?= gcc
PYTHON	:= $(shell python3 -c 'import pytest' 2>/dev/null && \
	     echo python3 || echo /usr/bin/python3)

WARN	:= -Wall -Wextra -Werror -Wshadow -Wundef -Wvla -Wstrict-prototypes \
	   -Wmissing-prototypes -Wold-style-definition -Wwrite-strings \
	   -Wpointer-arith -Wcast-qual -Wredundant-decls -Wformat=2 \
	   -Wimplicit-fallthrough -Wno-unused-parameter

# Flags of one architecture; kern/arch/$(ARCH)/arch.mk may add to them.
CFLAGS_riscv := -march=rv64imac_zicsr_zifencei -mabi=lp64 -mcmodel=medany
-include kern/arch/$(ARCH)/arch.mk

KFLAGS	= -std=gnu11 $(WARN) -g -O2 -MMD -MP -ffreestanding -fno-common \
	  -fno-strict-aliasing -fno-stack-protector -fno-pic -fno-pie \
	  -Ikern -Ikern/arch/$(ARCH) $(CFLAGS_$(ARCH))
KFLAGS_debug := -DDEBUG=1 -fno-omit-frame-pointer \
	  -fsanitize=undefined -fsanitize-undefined-trap-on-error
KFLAGS_release :=
KLDFLAGS = -nostdlib -static -no-pie -Wl,--build-id=none \
	  -Wl,-z,max-page-size=4096 -Wl,--fatal-warnings -Wl,-z,noexecstack \
	  $(LDFLAGS_$(ARCH))

# A missing tool is one sentence, not a page of errors.
need	= $(if $(shell command -v $(1)),,$(error $(1) is missing (Debian \
	  package $(2)): run `sh grade/setup.sh`))

# --- the kernel ----------------------------------------------------------

-include kern/files.mk
KSRCS	:= $(KERN_SRCS) $(KERN_SRCS_$(ARCH))
KLDS	:= kern/arch/$(ARCH)/kernel.ld
O	:= build/$(ARCH)

# Other flags make other objects.
KFLAGS_FROM := $(wildcard Makefile kern/arch/$(ARCH)/arch.mk)

define kernel_rules
$(O)/$(1)/%.o: %.c $$(KFLAGS_FROM) | need-cc
	$$(call say,CC,$$@)
	@mkdir -p $$(@D)
	$$(Q)$$(CC) $$(KFLAGS) $$(KFLAGS_$(1)) -c -o $$@ $$<
$(O)/$(1)/%.o: %.S $$(KFLAGS_FROM) | need-cc
	$$(call say,AS,$$@)
	@mkdir -p $$(@D)
	$$(Q)$$(CC) $$(KFLAGS) $$(KFLAGS_$(1)) -c -o $$@ $$<
KOBJS_$(1) := $$(addprefix $(O)/$(1)/,$$(addsuffix .o,$$(basename $$(KSRCS))))
$(O)/$(1)/tern.elf: $$(KOBJS_$(1)) $$(KLDS)
	$$(call say,LD,$$@)
	$$(Q)$$(CC) $$(KFLAGS) $$(KLDFLAGS) -T $$(KLDS) -o $$@ \
	    $$(KOBJS_$(1)) $$(KLIBS_$(ARCH))
-include $$(KOBJS_$(1):.o=.d)
endef
$(foreach mode,debug release,$(eval $(call kernel_rules,$(mode))))

.PHONY: need-cc
need-cc:
	$(call need,$(CC),$(or $(patsubst %-,gcc-%,$(subst _,-,$(CROSS))),gcc))

# --- user programs, host tests, harness ----------------------------------

# Before the includes: prerequisites are expanded where they stand.
KERNEL	:= $(O)/$(MODE)/tern.elf
ROOT	:= $(O)/root.img

-include user/files.mk
-include user/real/rules.mk
-include kern/vm/test/rules.mk
-include kern/fs/test/rules.mk
include grade/rules.mk
include grade/docs/rules.mk


.PHONY: all kernel user clean help compile_commands fmt
all: kernel user	## build the kernel and the root file system

kernel: $(KERNEL)	## build build/ARCH/{debug,release}/tern.elf (DEBUG=1|0)

user: $(ROOT)		## build the user programs and the root file system

compile_commands:	## write compile_commands.json for clangd and editors
	$(Q)$(MAKE) -knB V=1 kernel user 2>/dev/null | $(PYTHON) grade/compdb.py

fmt:			## reformat what `make check` would complain about
	$(Q)$(PYTHON) grade/check/format.py --fix

clean:			## remove everything that was built
	rm -rf build compile_commands.json

help:			## show this list
	@echo 'usage: make [target] [ARCH=$(ARCH)] [VM=$(VM)] [CPUS=$(CPUS)]' \
	    '[DEBUG=$(DEBUG)] [MACHINE=aclint=on] [V=1]'
	@awk -F '##' '/^[a-z_-]+:.*##/ { split($$1, t, ":"); \
	    printf "  %-17s%s\n", t[1], $$2 }' $(MAKEFILE_LIST)
