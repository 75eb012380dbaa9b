#!/bin/sh
# certificates.sh - the city's own certificates, with openssl and nothing else. README.md says when.
#
#   sh certificates.sh authority             makes the authority here; do this once, keep ca.key safe
#   sh certificates.sh broker HOST...        broker/: for /etc/mosquitto/outpost/ of the broker
#   sh certificates.sh city [NAME]           city/NAME/: for a collector; NAME is its --client
#   sh certificates.sh office ID             offices/ID/: for /etc/outpost/ of that office
#   sh certificates.sh revoke FILE.pem ...   stolen or replaced; then copy broker/ and restart mosquitto
#
# Works in the current folder. Each of them but the authority also writes broker/outpost-city.acl and
# broker/revoked.pem anew. DAYS is how long what is made is good: default 1095, the authority 7300.
# An office and a collector have two certificates each: one for each of their connections.
set -eu
umask 077

stop() {
    echo "certificates.sh: $*" >&2
    exit 1
}

# key_and_certificate FOLDER/NAME COMMON-NAME USE [SUBJECT-ALT-NAME]; a certificate there is kept, not
# replaced: it may be in use.
key_and_certificate() {
    [ ! -e "$1.pem" ] || stop "$1.pem is there already; move it away first"
    mkdir -p "$(dirname "$1")"
    {
        echo "basicConstraints = critical, CA:FALSE"
        echo "keyUsage = critical, digitalSignature"
        echo "extendedKeyUsage = $3"
        [ -z "${4:-}" ] || echo "subjectAltName = $4"
    } >"$1.ext"
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -batch -subj "/CN=$2" \
        -keyout "$1.key" -out "$1.csr" 2>/dev/null
    openssl x509 -req -in "$1.csr" -CA ca.pem -CAkey ca.key -days "${DAYS:-1095}" -sha256 \
        -extfile "$1.ext" -out "$1.new" 2>/dev/null
    rm "$1.csr" "$1.ext"
    mv "$1.new" "$1.pem"
}

# A name is the broker's word for who it is: nothing in it may mean more in the access list.
check_name() {
    case $1 in
    "" | *[!A-Za-z0-9_:-]*) stop "$2: expected letters, digits, \"-\", \"_\" and \":\" only, got \"$1\"" ;;
    esac
    [ ${#1} -le 32 ] || stop "$2: expected at most 32 letters, got \"$1\""
}

pair() {
    [ ! -e "$1" ] || stop "$1/ is there already; move it away first"
    key_and_certificate "$1/alarm" "$2-alarm" clientAuth
    key_and_certificate "$1/bulk" "$2-bulk" clientAuth
    cp ca.pem "$1/ca.pem"
}

alternatives() {
    for host in "$@"; do
        case $host in
        *:*) echo "IP:$host" ;;
        *[!0-9.]*) echo "DNS:$host" ;;
        *) echo "IP:$host" ;;
        esac
    done | paste -s -d ,
}

collector_rules() {
    cat <<END
# The collector $1: what offices say, and the city's answers.
user $1-alarm
topic read outpost/v1/+/status
topic read outpost/v1/+/up/alarm
topic read outpost/v1/+/up/reply/#
topic write outpost/v1/+/down/#
user $1-bulk
topic read outpost/v1/+/up/record
topic read outpost/v1/+/up/telemetry
topic read outpost/v1/+/up/checkpoint
topic read outpost/v1/+/metrics/#
topic read outpost/v1/+/log/#

END
}

office_rules() {
    cat <<END
# Office $1: only below its own name.
user $1-alarm
topic write outpost/v1/$1/status
topic write outpost/v1/$1/up/alarm
topic write outpost/v1/$1/up/reply/#
topic read outpost/v1/$1/down/#
user $1-bulk
topic write outpost/v1/$1/up/record
topic write outpost/v1/$1/up/telemetry
topic write outpost/v1/$1/up/checkpoint
topic write outpost/v1/$1/metrics/#
topic write outpost/v1/$1/log/#

END
}

# Who may say and hear what: everybody who has a folder here.
write_access() {
    mkdir -p broker
    {
        echo "# Who may say and hear what; a user is the common name of a certificate."
        echo "# Written by certificates.sh: what is changed here is lost with the next office."
        echo
        for one in city/*/; do [ ! -d "$one" ] || collector_rules "$(basename "$one")"; done
        for one in offices/*/; do [ ! -d "$one" ] || office_rules "$(basename "$one")"; done
    } >broker/outpost-city.acl.new
    mv broker/outpost-city.acl.new broker/outpost-city.acl
    cp ca.pem broker/ca.pem
}

register() {
    printf '[ca]\ndefault_ca = here\n[here]\ndatabase = revoked.index\ndefault_md = sha256\n' >revoked.cnf
    [ -e revoked.index ] || : >revoked.index
    openssl ca -batch -config revoked.cnf -cert ca.pem -keyfile ca.key "$@" 2>/dev/null
    rm -f revoked.cnf
}

# The list has to be as long-lived as the authority: behind its end nobody could connect any more.
write_revoked() {
    mkdir -p broker
    register -gencrl -crldays 7300 -out broker/revoked.pem
}

make_authority() {
    [ ! -e ca.pem ] || stop "ca.pem is there already: this folder has its authority"
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -batch -sha256 \
        -subj "/CN=Outpost authority" -addext "keyUsage = critical, keyCertSign, cRLSign" \
        -days "${DAYS:-7300}" -keyout ca.key -out ca.pem 2>/dev/null
    echo "ca.pem, ca.key: keep ca.key where only you can read it, and a copy elsewhere"
}

make_broker() {
    [ $# -gt 0 ] || stop "broker: expected the names and addresses that offices connect to"
    key_and_certificate broker/broker "$1" serverAuth "$(alternatives "$@")"
    echo "broker/: copy to /etc/mosquitto/outpost/, readable by user mosquitto; systemctl reload mosquitto"
}

make_city() {
    check_name "$1" city
    [ ! -e "offices/$1" ] || stop "city: $1 is the name of an office already"
    pair "city/$1" "$1"
    echo "city/$1/: for outpost-city run --cert alarm.pem --tls-key alarm.key" \
        "--bulk-cert bulk.pem --bulk-tls-key bulk.key"
    echo "broker/outpost-city.acl: copy to the broker; systemctl reload mosquitto"
}

make_office() {
    check_name "$1" office
    [ ! -e "city/$1" ] || stop "office: $1 is the name of a collector already"
    pair "offices/$1" "$1"
    echo "offices/$1/: copy to /etc/outpost/ of the office, on a medium that is erased afterwards"
    echo "broker/outpost-city.acl: copy to the broker; systemctl reload mosquitto"
}

revoke() {
    [ $# -gt 0 ] || stop "revoke: expected the certificates"
    for one in "$@"; do
        register -revoke "$one" || stop "$one: cannot be revoked (revoked before?)"
    done
    echo "broker/revoked.pem: copy to the broker; systemctl restart mosquitto"
}

word=${1:-help}
[ $# -eq 0 ] || shift
case $word in
authority) make_authority ;;
broker | city | office | revoke)
    [ -e ca.key ] || stop "there is no ca.key here; begin with: sh certificates.sh authority"
    case $word in
    broker) make_broker "$@" ;;
    city) make_city "${1:-outpost-city}" ;;
    office) make_office "${1:-}" ;;
    revoke) revoke "$@" ;;
    esac
    write_access
    write_revoked
    ;;
*)
    sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//p}' "$0"
    [ "$word" = help ] || exit 2
    ;;
esac
