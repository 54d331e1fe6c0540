# SPDX-License-Identifier: MIT
#
# Doxygen's view of a C file: the comment at its top, "name.c - what it does"
# and lines about path and locks, becomes the text of the file's page.  Line
# numbers stay.  Headers that say @file themselves are left alone.

# "@retval A @retval B" is fine for people; doxygen wants a text behind each:
# an invisible one, U+200B.
/@retval [A-Za-z0-9_]+ +@/ {
	while (match($0, /@retval [A-Za-z0-9_]+ +@/))
		$0 = substr($0, 1, RSTART + RLENGTH - 2) "\342\200\213 " \
		    substr($0, RSTART + RLENGTH - 1)
}

state == 0 && /^\/\*$/		{ state = 1; print "/**"; next }
state == 0 && /^\/\*\*/		{ state = 9 }
state == 1 && match($0, /^ \* [^ ]+ - /) {
	brief = toupper(substr($0, RLENGTH + 1, 1)) substr($0, RLENGTH + 2)
	state = 2
	printf " * @file\n"	# the line after it makes up for this one
	next
}
state == 2 && /^ \*\/$/		{
	for (; held > 0; held--)
		brief = brief "\n"
	print " * @brief " brief " */"
	state = 9
	next
}
state == 2 && /^ \*$/		{ print " * @brief " brief "@verbatim"; state = 3; next }
state == 2			{ brief = brief " " substr($0, 4); held++; next }
state == 3 && /^ \*\/$/		{
	for (; held > 0; held--)
		print " *"
	print " @endverbatim */"
	state = 9
	next
}
state == 3			{ $0 = substr($0, 4) }
{ print }
