#!/bin/sh
# check.sh - 核验一份导出的证据：文件、事件、保管记录是否与司法所签名的日志一致。不需要网络。
#            Checks exported evidence against the office's signed journal. Needs no network.
#
#   sh check.sh [--key 公钥.pub] [文件夹 FOLDER]
#
# 只用 sha256sum 和 openssl（3.0 以上）以及系统自带的文本工具。公钥应从司法所或市司法局另行取得：不给出 --key
# 时用文件夹里的公钥，那只能说明文件夹自身前后一致。本程序在每份导出里都相同，也应另行取得。
# Uses sha256sum and openssl (3.0 or later) only. Take the public key, and this program, from elsewhere:
# with the key that lies in the folder it shows no more than that the folder is of one piece.
#
# 结果 Exit: 0 全部相符 good, 1 有不符 something is not as it was, 2 不能核验 cannot be checked.
set -u
LC_ALL=C
export LC_ALL

PROOF=c2sp.org/tlog-proof@v1
HASH64='^[A-Za-z0-9+/]\{42\}[AEIMQUYcgkosw048]=$' # 32 bytes, one spelling only
DASH='— '
CDPATH= # or another folder than the one that was named might be checked
trusted=
found=0

give_up() {
    printf '不能核验 CANNOT CHECK  %s\n' "$1" >&2
    exit 2
}

# Names what is not as it was: where, in Chinese, in English.
bad() {
    found=$((found + 1))
    printf '不符 BAD   %s: %s / %s' "$1" "$2" "$3" | tr -d '\001-\037\177'
    echo
}

good() {
    printf '相符 good  %s: %s' "$1" "$2" | tr -d '\001-\037\177'
    echo
}

sha256() {
    set -- "$(sha256sum <"$1")"
    printf '%s' "${1%% *}"
}

# ---- The signed note: the text, an empty line, one line of signature.

read_key() {
    vkey=$(cat key.pub)
    name=${vkey%%+*}
    rest=${vkey#*+}
    printf '%s' "${rest#*+}" | openssl base64 -d -A >"$work/key" 2>/dev/null
    { printf '%s\n' "$name"; cat "$work/key"; } | openssl dgst -sha256 -binary | head -c 4 >"$work/id"
    printf '%s\n' "$vkey" | cmp -s - key.pub || return 1
    case $(wc -c <"$work/key" | tr -d ' ') in
    33) # Ed25519: 0x01, the key
        hash=-sha256 suite=
        { printf '\060\052\060\005\006\003\053\145\160\003\041\000'; tail -c 32 "$work/key"; } >"$work/der" ;;
    79) # SM2: 0xff sm2-with-sm3 NUL, the point
        hash=-sm3 suite='suite sm3+sm2'
        { printf '\060\131\060\023\006\007\052\206\110\316\075\002\001\006\010\052\201\034\317\125\001\202\055\003\102\000'
            tail -c 65 "$work/key"; } >"$work/der" ;;
    *) return 1 ;;
    esac
}

signature_holds() {
    if [ "$hash" = -sha256 ]; then
        openssl pkeyutl -verify -pubin -keyform DER -inkey "$work/der" -rawin -in "$work/text" \
            -sigfile "$work/signature" >/dev/null 2>&1
    else
        openssl pkeyutl -verify -pubin -keyform DER -inkey "$work/der" -rawin -digest sm3 \
            -pkeyopt distid:1234567812345678 -in "$work/text" -sigfile "$work/signature" >/dev/null 2>&1
    fi
}

# Its text in $work/text, its size and root; only as the office's program writes it.
read_checkpoint() {
    sed '/^$/,$d' checkpoint >"$work/text"
    code=$(sed -n '$s/^.* //p' checkpoint)
    { cat "$work/text"; printf '\n%s%s %s\n' "$DASH" "$name" "$code"; } | cmp -s - checkpoint || return 1
    printf '%s' "$code" | openssl base64 -d -A >"$work/raw" 2>/dev/null
    [ "$(openssl base64 -A <"$work/raw")" = "$code" ] || return 1
    head -c 4 "$work/raw" | cmp -s - "$work/id" || return 1
    tail -c +5 "$work/raw" >"$work/signature"
    origin=$(sed -n 1p "$work/text")
    size=$(sed -n 2p "$work/text")
    [ "$(sed -n 4p "$work/text")" = "$suite" ] || return 1
    case $size in '' | 0* | *[!0-9]*) return 1 ;; esac
    sed -n 3p "$work/text" | grep -q "$HASH64" || return 1
    sed -n 3p "$work/text" | openssl base64 -d -A >"$work/root"
    signature_holds
}

# ---- Inclusion, RFC 9162 2.1.3.2: leaf = H(0 || event), node = H(1 || left || right).

node() {
    { printf '\001'; cat "$1" "$2"; } | openssl dgst "$hash" -binary >"$work/next"
    mv "$work/next" "$work/node"
}

# Whether the proof leads from the event to the signed root: EVENT PROOF INDEX
leads_to_root() {
    { printf '%s\nindex %s\n' "$PROOF" "$3"; sed -n '1,2d;p;/^$/q' "$2"; cat checkpoint; } | cmp -s - "$2" || return 1
    sed -n '1,2d;/^$/q;p' "$2" >"$work/path"
    grep -qv "$HASH64" "$work/path" && return 1
    { printf '\000'; cat "$1"; } | openssl dgst "$hash" -binary >"$work/node"
    at=$3 last=$((size - 1))
    [ "$at" -le "$last" ] || return 1
    while read -r line; do
        [ "$last" -gt 0 ] || return 1
        printf '%s' "$line" | openssl base64 -d -A >"$work/other"
        if [ $((at % 2)) -eq 1 ] || [ "$at" -eq "$last" ]; then
            node "$work/other" "$work/node"
            while [ $((at % 2)) -eq 0 ] && [ "$at" -gt 0 ]; do
                at=$((at / 2)) last=$((last / 2))
            done
        else
            node "$work/node" "$work/other"
        fi
        at=$((at / 2)) last=$((last / 2))
    done <"$work/path"
    [ "$last" -eq 0 ] && cmp -s "$work/node" "$work/root"
}

# A number as it stands in a name: no leading zero, and small enough for a shell.
is_number() {
    case $1 in 0) return 0 ;; '' | 0* | *[!0-9]*) return 1 ;; esac
    [ ${#1} -le 18 ]
}

# EVENT PROOF INDEX. Without a signed checkpoint there is nothing to lead to: that was said.
check_event() {
    [ "$size" -gt 0 ] || return
    if [ ! -f "$2" ]; then
        bad "$2" "缺少证明文件" "the proof is missing"
    elif ! is_number "$3"; then
        bad "$2" "证明的格式不对" "not a proof"
    elif ! leads_to_root "$1" "$2" "$3"; then
        bad "$1" "不是日志中的第 $3 号事件，或其证明被改动" "is not event $3 of the signed journal, or its proof was changed"
    elif ! grep -q "\"sequence\":\"$(printf '%016d' "$3")\"" "$1"; then
        bad "$1" "事件自述的序号不是 $3" "the event says that it has another number than $3"
    elif ! grep -q "$digest" "$1"; then
        bad "$1" "事件所记的不是这个文件" "the event is about another file"
    else
        check_previous "$1"
        good "$1" "$(member "$1" 2) $(member "$1" 3)"
    fi
}

# The event's own source (1), type (2) or time (3); those of what it wraps come later: EVENT WHICH
member() {
    own='"source":"\([^"]*\)","type":"\([^"]*\)","time":"\([^"]*\)"'
    sed -n 's/^{"specversion":"[^"]*","id":"[^"]*",'"$own"',.*/\'"$2/p" "$1"
}

# Only the appliance itself says that it has exported a file, and only one that it has; a plugin that says so
# names what it likes. Without a signed checkpoint nobody knows whose appliance: that was said. EVENT
is_of_appliance() {
    [ "$size" -gt 0 ] || return 0
    office=${origin#*/}
    [ "$(member "$1" 1)" = "/${office%%/*}/keeper/keeper" ]
}

# What the appliance itself records of evidence names the event before: none may be left out. EVENT
check_previous() {
    case "$(member "$1" 1) $(member "$1" 2)" in
    /*/keeper/keeper\ evidence.* | /*/keeper/keeper\ blob.*) ;;
    *) return ;;
    esac
    previous=$(sed -n 's/.*"previous":\([0-9]*\).*/\1/p' "$1")
    [ -z "$previous" ] || [ -f "events/$previous.json" ] ||
        bad "events/$previous.json" "缺少：$1 之前的一个事件" "is missing, the event before $1"
}

# ---- What the office has signed of this folder: event evidence.exported names the list of files.

check_exported() {
    digest=$(sed -n 's/.*"sha256":"\([0-9a-f]\{64\}\)".*/\1/p' exported.json)
    manifest=$(sed -n 's/.*"manifest":"\([0-9a-f]\{64\}\)".*/\1/p' exported.json)
    number=$(sed -n '2s/^index //p' exported.proof 2>/dev/null)
    if [ ${#digest} -ne 64 ] || [ ${#manifest} -ne 64 ] ||
        [ "$(member exported.json 2)" != evidence.exported ] || ! is_of_appliance exported.json; then
        bad exported.json "不是导出事件" "is not the event of an export"
        digest=none manifest=none
    fi
    check_event exported.json exported.proof "$number"
    if [ "$(sha256 SHA256SUMS)" = "$manifest" ]; then
        good SHA256SUMS "第 $number 号事件所签名的文件清单 / the list of files that event $number names"
    else
        bad SHA256SUMS "不是第 $number 号事件所签名的文件清单" "is not the list of files that event $number names"
    fi
}

check_file() {
    case $2 in
    file/*)
        files=$((files + 1))
        [ "$1" = "$digest" ] || bad "$2" "清单中的哈希值不是事件所记的 $digest" "the list says another hash than the event" ;;
    esac
    if [ ! -f "$2" ] || [ -h "$2" ]; then
        bad "$2" "缺少（或被改名）" "is missing, or has another name"
    elif [ "$(sha256 "$2")" != "$1" ]; then
        bad "$2" "内容已被改动" "its content was changed"
    else
        case $2 in events/*) ;; *) good "$2" "SHA-256 $1" ;; esac
    fi
}

check_list() {
    files=0
    while IFS= read -r line; do
        path=${line#????????????????????????????????????????????????????????????????  }
        sum=${line%%  *}
        case $sum in *[!0-9a-f]*) sum= ;; esac
        case $path in
        "$line" | */../* | */*/* | /* | *[!A-Za-z0-9._/-]*) sum= ;;
        esac
        if [ ${#sum} -ne 64 ]; then
            bad SHA256SUMS "有一行不是“哈希值 文件名”" "has a line that is no hash and name"
            continue
        fi
        printf './%s\n' "$path" >>"$work/expected"
        check_file "$sum" "$path"
    done <SHA256SUMS
    [ "$files" -eq 1 ] || bad SHA256SUMS "应当恰有一个证据文件" "expected one evidence file"
}

check_history() {
    for event in events/*.json; do
        number=${event#events/}
        number=${number%.json}
        [ -f "$event" ] || continue
        printf './events/%s.proof\n' "$number" >>"$work/expected"
        check_event "$event" "events/$number.proof" "$number"
    done
}

# Nothing may lie here that the list does not name.
check_rest() {
    printf './%s\n' SHA256SUMS checkpoint exported.json exported.proof >>"$work/expected"
    find . -type f >"$work/there"
    while IFS= read -r path; do
        grep -qxF -e "$path" "$work/expected" || bad "${path#./}" "清单中没有这个文件" "is not in the list"
    done <"$work/there"
    find . ! -type f ! -type d -o -type d ! -name . ! -path ./file ! -path ./events >"$work/there"
    while IFS= read -r path; do
        bad "${path#./}" "不应在这里" "should not be here"
    done <"$work/there"
}

check_signature() {
    if [ -n "$trusted" ] && ! cmp -s "$trusted" key.pub; then
        bad key.pub "不是所给的公钥" "is not the key that was given"
    fi
    if ! read_key; then
        bad key.pub "不是公钥" "is no public key"
    elif ! read_checkpoint; then
        bad checkpoint "没有 key.pub 的有效签名" "is not signed by key.pub"
    else
        good checkpoint "$origin, $size 个事件 events, 签名 signed by $name"
        return 0
    fi
    size=0
    return 1
}

main() {
    for program in sha256sum openssl cmp; do
        command -v $program >/dev/null || give_up "缺少程序 $program is not installed"
    done
    case $(openssl version) in
    LibreSSL* | OpenSSL\ [01].*) give_up "需要 OpenSSL 3.0 以上 needs OpenSSL 3.0 or later: $(openssl version)" ;;
    esac
    work=$(mktemp -d) || give_up "没有临时文件夹 no temporary folder"
    trap 'rm -rf "$work"' EXIT
    trap 'exit 2' HUP INT TERM
    for path in SHA256SUMS checkpoint exported.json exported.proof key.pub; do
        [ -f $path ] || bad $path "缺少（或被改名）" "is missing, or has another name"
    done
    if [ $found -eq 0 ]; then
        check_signature
        check_exported
        check_list
        check_history
        check_rest
    fi
    if [ $found -gt 0 ]; then
        printf '\n结论：有 %d 处不符。这份导出不是司法所签名的那一份。\n' $found
        printf 'Result: %d findings. This is not what the office has signed.\n' $found
        exit 1
    fi
    printf '\n结论：全部相符。文件与司法所日志中的事件一致，保管记录截至第 %s 号事件。\n' "$(sed -n '2s/^index //p' exported.proof)"
    printf 'Result: all good. The file is the one that the signed events name.\n'
    [ -n "$trusted" ] || printf '%s\n' \
        '注意：公钥取自本文件夹。请与司法所或市司法局公布的公钥核对，或用 --key 给出：' \
        'Note: the public key is the one in this folder. Compare it with what the office has published:' "    $(tr -d '\001-\037\177' <key.pub)"
}

if [ "${1:-}" = --key ]; then
    [ -f "${2:-}" ] || give_up "--key: 没有这个文件 no such file: ${2:-}"
    trusted=$(cd "$(dirname "$2")" && pwd)/$(basename "$2")
    shift 2
fi
cd "${1:-$(dirname "$0")}" || give_up "没有这个文件夹 no such folder"
main
