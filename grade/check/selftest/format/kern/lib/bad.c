/* SPDX-License-Identifier: MIT */
int one_line(void);
int one_line(void) { return 1; }	/* want: format: expected */

static int two(int a)			/* want: format: expected */
{
    return a;				/* want: format: indentation */
}

static int
three(int a,int b)			/* want: format: expected */
{
	a++;
	if(a)				/* want: format: expected */
		return b;
	if (b) return a;		/* want: format: expected */
	b++;
	a=b;				/* want: format: expected */
	b++;
	a = 1; b = 2;			/* want: format: expected */
	b++;
	/* want next: format: expected */
	if (a)
	{
		return a;
	}
        a++;				/* want: format: (blanks|indentation) */
	a = 1;						/* want: format: 8. columns */
	/* want next: format: trailing blanks */
	return a; 
}
