# Sourced by demo.sh and check.sh: installs what is missing on Debian 12, picks compilers, configures build folders.
set -eu

packages_base="gcc meson ninja-build pkg-config zlib1g-dev libjansson-dev libsodium-dev"
packages_llvm="clang-19 llvm-19-dev libclang-cpp19-dev libclang-19-dev liblld-19-dev g++"
packages_test="libcmocka-dev libmpfr-dev libclang-rt-19-dev patch locales tcc"
install=1
for arg in "$@"; do
    case $arg in
    --no-install) install=0 ;;
    --help) sed -n '2,/^set/{/^#/s/^# \{0,1\}//p}' "$0"; exit 0 ;;
    *) case " ${own_options:-} " in *" $arg "*) continue ;; esac
        echo "unknown option $arg; --help lists them" >&2; exit 2 ;;
    esac
done

missing_packages() # of a list: those that dpkg does not know as installed
{
    for p in $1; do dpkg-query -W -f '${Status}' "$p" 2>/dev/null | grep -q 'ok installed' || printf ' %s' "$p"; done
}

install_packages() # packages, needed|optional
{
    if ! command -v apt-get >/dev/null; then
        have_tools && return 0
        echo "This is not Debian. Install the equivalents of these packages, then run again with --no-install:"
        echo "  $packages_base $packages_llvm $packages_test"
        exit 1
    fi
    missing=$(missing_packages "$1")
    [ -n "$missing" ] || return 0
    if [ "$install" = 0 ]; then
        [ "$2" = optional ] || have_tools || { echo "missing packages:$missing (--no-install)" >&2; exit 1; }
        return 0
    fi
    sudo=
    if [ "$(id -u)" != 0 ]; then
        if command -v sudo >/dev/null && sudo -n true 2>/dev/null; then sudo=sudo
        elif [ "$2" = optional ]; then echo "optional packages are missing:$missing"; return 0
        else echo "These packages are missing:$missing"; echo "Install them as root:"; echo "  apt-get install$missing"; exit 1; fi
    fi
    echo "installing:$missing"
    log=$(mktemp)
    if ! { $sudo apt-get update && $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $missing; } >"$log" 2>&1; then
        [ "$2" = optional ] && { echo "could not install them; going on without"; rm -f "$log"; return 0; }
        cat "$log" >&2; exit 1
    fi
    rm -f "$log"
}

have_tools() { command -v meson >/dev/null && command -v ninja >/dev/null && command -v "${CC:-cc}" >/dev/null; }

configure() # folder, options
{
    folder=$1; shift
    if [ -e "$folder/build.ninja" ]; then meson configure "$folder" "$@" >/dev/null
    else meson setup "$folder" "$@" >"$folder.log" 2>&1 || { cat "$folder.log" >&2; exit 1; }; rm -f "$folder.log"; fi
}
