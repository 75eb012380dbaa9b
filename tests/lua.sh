#!/bin/sh
# lua.sh - runs the Lua tests: tests/lua/*_test.lua and plugins/*/test/*_test.lua, each in its own
# interpreter. A test file prints "ok NAME" per test and ends with a failure when one failed; a
# file that prints no "ok" is empty and is refused.
set -u
cd "$(dirname "$0")/.."
passed=0 failed=0 files=0
log=$(mktemp)
trap 'rm -f "$log"' EXIT
for file in tests/lua/*_test.lua plugins/*/test/*_test.lua; do
    [ -e "$file" ] || continue
    files=$((files + 1))
    plugin=$(dirname "$(dirname "$file")")
    LUA_PATH="lua/?.lua;tests/lua/?.lua;$plugin/?.lua;$plugin/test/?.lua" \
        timeout 120 lua5.4 "$file" >"$log" 2>&1
    code=$?
    good=$(grep -c '^ok ' "$log")
    passed=$((passed + good))
    if [ $code != 0 ] || [ "$good" = 0 ]; then
        failed=$((failed + 1))
        echo "FAILED $file (code $code)"
        cat "$log"
    else
        echo "ok     $file ($good)"
    fi
done
echo "lua: $passed passed in $files files, $failed files failed"
[ "$failed" = 0 ] && [ "$files" != 0 ]
