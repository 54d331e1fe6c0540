/* SPDX-License-Identifier: MIT */
/* = kern/real.c:real_function */
inline good() {
	skip
}

/* = kern/real.c:real_function, want next: references: no row for step alone */
inline alone() {
	skip
}

inline other() {
	skip	/* = kern/real.c:real_function */
}

inline unreal() {
	/* want next: references: no function ghost in kern/real.c */
	skip	/* = kern/real.c:ghost */
}

inline helper() {
	skip
}
