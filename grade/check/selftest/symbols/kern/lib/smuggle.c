/* SPDX-License-Identifier: MIT */
extern int vm_map(int);		/* declared by hand, around the include rule */
int smuggle(int x);
int invented(int x);

int
smuggle(int x)
{
	/* want: symbols: lib/ needs vm_map of vm/ */
	/* want: symbols: nobody declares or defines invented */
	return vm_map(x) + invented(x);
}
