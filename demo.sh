#!/bin/sh
# Builds Gnomon and trains a digit classifier on real images: a graph defined in C, differentiated, optimized, compiled, run.
#
#   ./demo.sh                installs what is missing (Debian 12), builds, trains
#   ./demo.sh --no-install   builds with what is there
# A second run finds the compiled code in the cache.
cd "$(dirname "$0")" && . ./scripts/setup.sh
install_packages "$packages_base" needed
install_packages "$packages_llvm" optional
configure build --buildtype=release -Dtests=false -Dwerror=false
ninja -C build >build/ninja.log 2>&1 || { cat build/ninja.log >&2; exit 1; }
exec build/examples/digits examples/data
