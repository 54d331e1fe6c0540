/* SPDX-License-Identifier: MIT */
/*
 * printf.c - formatted output.
 *
 * Knows %d %i %u %x %X %o %c %s %p %% with the flags - 0 + space #, width,
 * precision and the lengths hh h l ll z t j.  Text for a descriptor
 * collects in a buffer on the stack and leaves in one write(2) if it fits,
 * so that lines of several processes do not mix.
 */
#include "libc.h"

struct out {
	char	*buf;
	size_t	 size;
	size_t	 used;		/* in buf */
	int	 fd;		/* where a full buffer goes; -1: dropped */
	int	 total;		/* characters produced */
};

struct spec {
	bool	left, zero, plus, space, alt;
	int	width;
	int	precision;	/* -1: none given */
	int	length;		/* 0 int, 1 long, -1 short, -2 char */
};

static void
out_flush(struct out *o)
{
	if (o->fd >= 0)
		write_all(o->fd, o->buf, o->used);
	o->used = 0;
}

static void
out_char(struct out *o, char c)
{
	if (o->used == o->size && o->fd >= 0)
		out_flush(o);
	if (o->used < o->size)
		o->buf[o->used++] = c;
	o->total++;
}

static void
out_pad(struct out *o, char c, int n)
{
	while (n-- > 0)
		out_char(o, c);
}

static void
out_text(struct out *o, const struct spec *sp, const char *s, size_t len)
{
	int pad = sp->width - (int)len;

	if (!sp->left)
		out_pad(o, ' ', pad);
	while (len-- > 0)
		out_char(o, *s++);
	if (sp->left)
		out_pad(o, ' ', pad);
}

static void
out_number(struct out *o, const struct spec *sp, unsigned long v,
    const char *prefix, char conv)
{
	const char *digits = conv == 'X' ? "0123456789ABCDEF" :
	    "0123456789abcdef";
	unsigned base = conv == 'o' ? 8 : (conv | 32) == 'x' ? 16 : 10;
	char rev[24];
	int n = 0, zeros, pad;

	do
		rev[n++] = digits[v % base];
	while ((v /= base) != 0);
	zeros = MAX(sp->precision - n, 0);
	pad = sp->width - n - zeros - (int)strlen(prefix);
	if (sp->zero && !sp->left && sp->precision < 0 && pad > 0) {
		zeros = pad;
		pad = 0;
	}
	if (!sp->left)
		out_pad(o, ' ', pad);
	while (*prefix != '\0')
		out_char(o, *prefix++);
	out_pad(o, '0', zeros);
	while (n > 0)
		out_char(o, rev[--n]);
	if (sp->left)
		out_pad(o, ' ', pad);
}

static void
out_signed(struct out *o, const struct spec *sp, long v)
{
	unsigned long abs = v < 0 ? -(unsigned long)v : (unsigned long)v;
	const char *sign = v < 0 ? "-" : sp->plus ? "+" : sp->space ? " " : "";

	out_number(o, sp, abs, sign, 'd');
}

/* Reads flags, width, precision and length; returns where the conversion is. */
static const char *
parse_spec(const char *f, struct spec *sp, va_list *ap)
{
	const char *flag;

	*sp = (struct spec){ .precision = -1 };
	for (; (flag = strchr("-0+ #", *f)) != NULL && *f != '\0'; f++) {
		sp->left |= *flag == '-';
		sp->zero |= *flag == '0';
		sp->plus |= *flag == '+';
		sp->space |= *flag == ' ';
		sp->alt |= *flag == '#';
	}
	if (*f == '*') {
		sp->width = va_arg(*ap, int);
		f++;
	}
	for (; isdigit(*f); f++)
		sp->width = sp->width * 10 + *f - '0';
	if (sp->width < 0) {
		sp->left = true;
		sp->width = -sp->width;
	}
	if (*f == '.') {
		sp->precision = 0;
		if (*++f == '*') {
			sp->precision = va_arg(*ap, int);
			f++;
		}
		for (; isdigit(*f); f++)
			sp->precision = sp->precision * 10 + *f - '0';
	}
	for (; *f == 'l' || *f == 'z' || *f == 't' || *f == 'j'; f++)
		sp->length = 1;
	for (; *f == 'h'; f++)
		sp->length--;
	return f;
}

static long
arg_signed(const struct spec *sp, va_list *ap)
{
	long v = sp->length > 0 ? va_arg(*ap, long) : va_arg(*ap, int);

	return sp->length == -1 ? (short)v : sp->length == -2 ?
	    (signed char)v : v;
}

static unsigned long
arg_unsigned(const struct spec *sp, va_list *ap)
{
	unsigned long v = sp->length > 0 ? va_arg(*ap, unsigned long) :
	    va_arg(*ap, unsigned);

	return sp->length == -1 ? (unsigned short)v : sp->length == -2 ?
	    (unsigned char)v : v;
}

static void
out_conversion(struct out *o, const struct spec *sp, char conv, va_list *ap)
{
	const char *s;
	unsigned long u;
	char c;

	switch (conv) {
	case 'd':
	case 'i':
		out_signed(o, sp, arg_signed(sp, ap));
		break;
	case 'u':
	case 'o':
		out_number(o, sp, arg_unsigned(sp, ap), "", conv);
		break;
	case 'x':
	case 'X':
		u = arg_unsigned(sp, ap);
		out_number(o, sp, u, sp->alt && u != 0 ? "0x" : "", conv);
		break;
	case 'p':
		out_number(o, sp, (unsigned long)va_arg(*ap, void *), "0x",
		    'x');
		break;
	case 'c':
		c = (char)va_arg(*ap, int);
		out_text(o, sp, &c, 1);
		break;
	case 's':
		s = va_arg(*ap, const char *);
		if (s == NULL)
			s = "(null)";
		out_text(o, sp, s, sp->precision < 0 ? strlen(s) :
		    strnlen(s, (size_t)sp->precision));
		break;
	default:
		out_char(o, conv);
		break;
	}
}

static void
format(struct out *o, const char *f, va_list ap_in)
{
	struct spec sp;
	va_list ap;

	va_copy(ap, ap_in);
	for (; *f != '\0'; f++) {
		if (*f != '%') {
			out_char(o, *f);
			continue;
		}
		f = parse_spec(f + 1, &sp, &ap);
		if (*f == '\0')
			break;
		out_conversion(o, &sp, *f, &ap);
	}
	va_end(ap);
}

int
vdprintf(int fd, const char *fmt, va_list ap)
{
	char buf[256];
	struct out o = { .buf = buf, .size = sizeof(buf), .fd = fd };

	format(&o, fmt, ap);
	out_flush(&o);
	return o.total;
}

int
vsnprintf(char *buf, size_t size, const char *fmt, va_list ap)
{
	struct out o = { .buf = buf, .size = size > 0 ? size - 1 : 0,
	    .fd = -1 };

	format(&o, fmt, ap);
	if (size > 0)
		buf[o.used] = '\0';
	return o.total;
}

int
printf(const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vdprintf(STDOUT_FILENO, fmt, ap);
	va_end(ap);
	return n;
}

int
dprintf(int fd, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vdprintf(fd, fmt, ap);
	va_end(ap);
	return n;
}

int
snprintf(char *buf, size_t size, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(buf, size, fmt, ap);
	va_end(ap);
	return n;
}

int
puts(const char *s)
{
	return printf("%s\n", s);
}

void
perror(const char *what)
{
	int error = errno;

	dprintf(STDERR_FILENO, "%s: %s\n", what, strerror(error));
}

void
die(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vdprintf(STDERR_FILENO, fmt, ap);
	va_end(ap);
	write_all(STDERR_FILENO, "\n", 1);
	exit(1);
}
