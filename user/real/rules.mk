# SPDX-License-Identifier: MIT
#
# Programs that know nothing of Tern, as a Linux distribution would build them:
# static, with its compilers and C libraries.  Included by the Makefile.
#   build/real/KIND/{hello,threads,heap,files,lua}   KIND is MACHINE-LIBRARY
# What is not installed is not built, and grade/suites/test_real.py says so:
# `sh grade/setup.sh --real` installs it.

# Lua's source as its authors published it; setup.sh fetches it through apt.
LUA	:= .cache/lua/src
LUA_SRCS := $(filter-out $(LUA)/luac.c,$(wildcard $(LUA)/*.c))

# A musl-gcc makes programs for the machine that it runs on, and no other.
REAL_KINDS := $(USER_ARCHS:%=%-glibc) $(if $(filter x86_64%,$(shell \
	musl-gcc -dumpmachine 2>/dev/null)),x86_64-musl)
REAL_PROGS := hello threads heap files $(if $(LUA_SRCS),lua)
REAL_FLAGS := -O2 -Wall -Wextra -Werror -static -pthread

# $(1) = KIND, $(2) = compiler
define real_rules
build/real/$(1)/hello: user/test/hello-glibc.c
build/real/$(1)/threads: user/real/threads.c
build/real/$(1)/heap: user/real/heap.c
build/real/$(1)/files: user/real/files.c
build/real/$(1)/hello build/real/$(1)/threads build/real/$(1)/heap \
    build/real/$(1)/files:
	$$(call usay,REAL,$$@)
	@mkdir -p $$(@D)
	$(Q)$(2) $(REAL_FLAGS) -o $$@ $$< -lm
build/real/$(1)/lua.o/%.o: $(LUA)/%.c
	$$(call usay,REAL,$$@)
	@mkdir -p $$(@D)
	$(Q)$(2) -O2 -DLUA_USE_POSIX -c -o $$@ $$<
build/real/$(1)/lua: $(LUA_SRCS:$(LUA)/%.c=build/real/$(1)/lua.o/%.o)
	$$(call usay,REAL,$$@)
	$(Q)$(2) -static -o $$@ $$^ -lm
endef
$(foreach a,$(USER_ARCHS),$(eval \
	$(call real_rules,$(a)-glibc,$(UCROSS_$(a))gcc)))
$(eval $(call real_rules,x86_64-musl,musl-gcc))

.PHONY: real
real: $(foreach k,$(REAL_KINDS),$(REAL_PROGS:%=build/real/$(k)/%))	## static programs of Linux, for both machines (setup.sh --real)
