/* SPDX-License-Identifier: MIT */
/*
 * design.c - the table of VM designs; boot argument vm= picks one.
 *
 * A new design is a folder and one line in DESIGNS (docs/howto/add-design.md).
 */
#include "abi/errno.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "vm/vm.h"

/* Those that run programs: the tests of the VM layer go over all of them. */
#define DESIGNS(X) \
	X(classic) \
	X(mach)	   \
	X(l4)

/* The skeleton is one more, so that it cannot rot. */
#define DECLARE(name) extern const struct vm_ops name##_ops;
DESIGNS(DECLARE)
DECLARE(null)

#define OPS(name) &name##_ops,
static const struct vm_ops *const designs[] = { DESIGNS(OPS) OPS(null) };

#define NAME(name) #name,
const char *const vm_design_names[] = { DESIGNS(NAME) NULL };

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
