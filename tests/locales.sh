#!/bin/sh
# Makes the locales that tests run under, in a folder that $LOCPATH can name: a German one with a decimal comma, and a Turkish one with an i of
# its own and letters above ASCII. Without localedef or the sources of locales nothing is made, and tests that want one are skipped.
folder=$1
mkdir -p "$folder" || exit 1
make_locale() { [ -d "$folder/$1.$2" ] || localedef -i "$1" -f "$2" "$folder/$1.$2" >/dev/null 2>&1 || rm -rf "${folder:?}/$1.$2"; }
if command -v localedef >/dev/null; then
    make_locale de_DE UTF-8
    make_locale tr_TR ISO-8859-9
fi
: >"$folder.stamp"
