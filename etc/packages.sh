#!/bin/sh
# packages.sh - installs what etc/packages.debian lists and is missing; asks nothing.
#
# Silent and instant when everything is there. A service that comes with a package (mosquitto) is
# not started: the tests and the demo start their own broker on a free port of loopback.
set -eu
list=$(dirname "$0")/packages.debian

wanted=$(sed 's/#.*//' "$list" | tr -s ' \n' '\n\n' | sed '/^$/d' | sort)
present=$(dpkg-query -W -f '${Package} ${db:Status-Status}\n' 2>/dev/null |
    sed -n 's/ installed$//p' | sort)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
echo "$wanted" >"$scratch/wanted"
echo "$present" >"$scratch/present"
missing=$(comm -23 "$scratch/wanted" "$scratch/present")
[ -z "$missing" ] && exit 0

command -v apt-get >/dev/null || {
    echo "packages.sh: apt-get: expected a Debian 12 system; install by hand:" $missing >&2
    exit 1
}
as_root=
[ "$(id -u)" = 0 ] || as_root=sudo
echo "packages.sh: installs" $missing

# Until we are done no package may start its service, unless the machine has its own policy.
policy=/usr/sbin/policy-rc.d
if [ ! -e $policy ]; then
    printf '#!/bin/sh\nexit 101\n' >"$scratch/policy"
    trap '$as_root rm -f $policy; rm -rf "$scratch"' EXIT
    $as_root install -m 755 "$scratch/policy" $policy
fi
apt() {
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300 \
        -o Acquire::Retries=3 "$@" >"$scratch/apt.log" 2>&1 && return
    cat "$scratch/apt.log" >&2
    echo "packages.sh: apt-get $1 failed; the text above is apt's" >&2
    exit 1
}
apt update
# shellcheck disable=SC2086 # a list of names
apt install -y --no-install-recommends $missing
