/* SPDX-License-Identifier: MIT */
/*
 * design.c - the table of VM designs; boot argument vm= picks one.
 *
 * A new design is a folder and one line in each of the two lists below
 * (docs/howto/add-design.md).
 */
#include "abi/errno.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "vm/vm.h"

extern const struct vm_ops classic_ops, mach_ops, l4_ops;

static const struct vm_ops *const designs[] = {
	&classic_ops,
	&mach_ops,
	&l4_ops,
};

const char *const vm_design_names[] = { "classic", "mach", "l4", NULL };

const struct vm_ops *vm_design;
unsigned vm_chaos;

int
vm_init(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(designs); i++) {
		if (strcmp(designs[i]->name, name) != 0)
			continue;
		if (vm_object_start() != 0)
			return ENOMEM;
		vmspace_init();
		vm_design = designs[i];
		vm_design->init();
		return 0;
	}
	kprintf("vm=%s: no such design; there are:", name);
	for (size_t i = 0; i < ARRAY_SIZE(designs); i++)
		kprintf(" %s", designs[i]->name);
	kprintf("\n");
	return ENOENT;
}
