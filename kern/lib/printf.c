/* SPDX-License-Identifier: MIT */
/*
 * printf.c - the formatter behind kprintf, snprintf and procfs.
 *
 * One pass over the format; each conversion is parsed into a struct spec and
 * printed by a small function.  kprintf itself is in kern/panic.c, next to the
 * console.
 */
#include "lib/printf.h"
#include "lib/string.h"

struct spec {
	bool left, zero;
	int width;
	int precision; /* -1: none */
	int longs;     /* 0 int, 1 long or size_t, 2 long long */
};

static void
put_repeated(struct sink *sk, char c, int n)
{
	for (; n > 0; n--)
		sk->put(sk, &c, 1);
}

static void
put_padded(struct sink *sk, const struct spec *sp, const char *s, size_t n)
{
	int pad = sp->width - (int)n;

	if (!sp->left)
		put_repeated(sk, ' ', pad);
	sk->put(sk, s, n);
	if (sp->left)
		put_repeated(sk, ' ', pad);
}

static void
put_number(struct sink *sk, const struct spec *sp, uint64_t v, unsigned base,
    const char *sign)
{
	char buf[24];
	size_t i = sizeof(buf), nsign = strlen(sign);

	do {
		buf[--i] = "0123456789abcdef"[v % base];
		v /= base;
	} while (v != 0);
	if (sp->zero && !sp->left) {
		sk->put(sk, sign, nsign);
		put_repeated(sk, '0',
		    sp->width - (int)(sizeof(buf) - i + nsign));
		sk->put(sk, buf + i, sizeof(buf) - i);
		return;
	}
	while (nsign > 0)
		buf[--i] = sign[--nsign];
	put_padded(sk, sp, buf + i, sizeof(buf) - i);
}

static const char *
parse_spec(const char *f, struct spec *sp, va_list *ap)
{
	*sp = (struct spec){ .precision = -1 };
	for (;; f++) {
		if (*f == '-')
			sp->left = true;
		else if (*f == '0')
			sp->zero = true;
		else
			break;
	}
	if (*f == '*') {
		sp->width = va_arg(*ap, int);
		f++;
	}
	for (; *f >= '0' && *f <= '9'; f++)
		sp->width = sp->width * 10 + (*f - '0');
	if (*f == '.') {
		sp->precision = 0;
		if (*++f == '*') {
			sp->precision = va_arg(*ap, int);
			f++;
		}
		for (; *f >= '0' && *f <= '9'; f++)
			sp->precision = sp->precision * 10 + (*f - '0');
	}
	for (; *f == 'l' || *f == 'z' || *f == 'h'; f++)
		sp->longs += *f != 'h';
	return f;
}

static void
put_conversion(struct sink *sk, const struct spec *sp, char conv, va_list *ap)
{
	const char *s;
	int64_t d;
	char c;

	switch (conv) {
	case 'd':
	case 'i':
		d = sp->longs ? va_arg(*ap, int64_t) : va_arg(*ap, int);
		put_number(sk, sp, d < 0 ? -(uint64_t)d : (uint64_t)d, 10,
		    d < 0 ? "-" : "");
		break;
	case 'u':
	case 'x':
		put_number(sk, sp,
		    sp->longs ? va_arg(*ap, uint64_t) : va_arg(*ap, unsigned),
		    conv == 'x' ? 16 : 10, "");
		break;
	case 'p':
		put_number(sk, sp, (uintptr_t)va_arg(*ap, void *), 16, "0x");
		break;
	case 's':
		s = va_arg(*ap, const char *);
		if (s == NULL)
			s = "(null)";
		put_padded(sk, sp, s,
		    sp->precision < 0 ? strlen(s) :
					strnlen(s, (size_t)sp->precision));
		break;
	case 'c':
		c = (char)va_arg(*ap, int);
		put_padded(sk, sp, &c, 1);
		break;
	default: /* %% and unknown ones */
		sk->put(sk, &conv, 1);
	}
}

void
sink_vprintf(struct sink *sk, const char *fmt, va_list args)
{
	va_list ap;

	va_copy(ap, args);
	while (*fmt != '\0') {
		const char *start = fmt;
		struct spec sp;

		while (*fmt != '\0' && *fmt != '%')
			fmt++;
		if (fmt != start)
			sk->put(sk, start, (size_t)(fmt - start));
		if (*fmt == '\0')
			break;
		fmt = parse_spec(fmt + 1, &sp, &ap);
		if (*fmt == '\0')
			break;
		put_conversion(sk, &sp, *fmt++, &ap);
	}
	va_end(ap);
}

void
sink_printf(struct sink *sk, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	sink_vprintf(sk, fmt, ap);
	va_end(ap);
}

static void
buf_sink_put(struct sink *sk, const char *s, size_t n)
{
	struct buf_sink *b = container_of(sk, struct buf_sink, sink);
	size_t room, drop = MIN(n, b->skip);

	b->skip -= drop;
	s += drop;
	n -= drop;
	room = b->total < b->size ? b->size - b->total : 0;
	/* Without room there may be no buffer at all. */
	if (room > 0)
		memcpy(b->buf + b->total, s, MIN(n, room));
	b->total += n;
}

void
buf_sink_init(struct buf_sink *b, char *buf, size_t size, size_t skip)
{
	*b = (struct buf_sink){ .sink.put = buf_sink_put,
		.buf = buf,
		.size = size,
		.skip = skip };
}

int
vsnprintf(char *buf, size_t size, const char *fmt, va_list ap)
{
	struct buf_sink b;

	buf_sink_init(&b, buf, size > 0 ? size - 1 : 0, 0);
	sink_vprintf(&b.sink, fmt, ap);
	if (size > 0)
		buf[MIN(b.total, size - 1)] = '\0';
	return (int)b.total;
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
