#!/bin/sh
# SPDX-License-Identifier: MIT
cat ../README.md                # inside: fine
cd "$(dirname "$0")/.." || exit
cat ../../elsewhere/notes       # want: outside: leaves the repository
cp x /tmp/scratch               # want: outside: absolute path /tmp
ls /home/somebody               # want: outside: absolute path /home
mktemp -d                       # fine
fetch --index-url=https://pkg.example
# want: outside: package index
