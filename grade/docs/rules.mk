# SPDX-License-Identifier: MIT
#
# Documentation: the site, the manual pages, the figures of the chapters.

.PHONY: docs man figures
docs: man		## the documentation site and the manual pages, in build/docs
	$(Q)$(PYTHON) grade/docs/website.py

man:			## manual pages of Tern's own system calls
	$(Q)$(PYTHON) grade/docs/man.py

figures: $(HB)/figures	## draw the figures of docs/ again, from code and runs
	$(Q)$(PYTHON) grade/docs/figures.py
