#!/bin/sh
# lua.sh - runs the Lua tests: tests/lua/*_test.lua, each in its own interpreter, then the tests of
# every plugin in the real host (outpost test). A test file prints "ok NAME" per test and ends with a
# failure when one failed; a file that prints no "ok" is empty and is refused.
set -u
cd "$(dirname "$0")/.."
passed=0 failed=0 files=0
log=$(mktemp)
trap 'rm -f "$log"' EXIT
run() {
    name=$1
    shift
    files=$((files + 1))
    timeout 600 "$@" >"$log" 2>&1
    code=$?
    good=$(grep -c '^ok ' "$log")
    passed=$((passed + good))
    if [ $code != 0 ] || [ "$good" = 0 ]; then
        failed=$((failed + 1))
        echo "FAILED $name (code $code)"
        cat "$log"
    else
        echo "ok     $name ($good)"
    fi
}
for file in tests/lua/*_test.lua; do
    LUA_PATH="lua/?.lua;lua/test/?.lua;tests/lua/?.lua" run "$file" lua5.4 "$file"
done
for plugin in plugins/*/; do
    run "$plugin" "${OUTPOST_BUILD:-build/release}/bin/outpost" test --limit 500 "${plugin%/}"
done
echo "lua: $passed passed in $files files and plugins, $failed of them failed"
[ "$failed" = 0 ] && [ "$files" != 0 ]
