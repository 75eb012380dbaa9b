/* keygen - see keygen.h. */
#include "city/keygen.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/base.h"
#include "base/file.h"
#include "city/options.h"
#include "proof/key.h"

static const char USAGE[] =
    "usage: outpost-city keygen --out FILE [--name NAME] [--suite SUITE]\n"
    "\n"
    "Makes the key pair that signs receipts: FILE (private, mode 0600, never written "
    "over) and\n"
    "FILE.pub, one line that every office needs as `verifier` of its city.\n"
    "\n"
    "  --name NAME     who signs: the key is called outpost-city/NAME; default city\n"
    "  --suite SUITE   sha256+ed25519 (default) or sm3+sm2\n";

static int save(const struct key *key, const char *path)
{
    char public_path[PATH_MAX];
    struct buffer line = {0};
    int length = snprintf(public_path, sizeof(public_path), "%s.pub", path);
    if (length < 0 || (size_t)length >= sizeof(public_path))
        return -ENAMETOOLONG;
    int err = key_save(key, path);
    if (err)
        return err;
    key_print_verifier(key, &line);
    buffer_append(&line, "\n", 1);
    err = file_put_durably(public_path, line.bytes, line.length, 0644);
    if (!err)
        fputs(buffer_text(&line), stdout);
    buffer_free(&line);
    return err;
}

int keygen_run(int argc, char **argv)
{
    const char *out = NULL, *name = "city", *suite = "sha256+ed25519";
    const struct options_row rows[] = {{"out", &out, NULL, true},
                                       {"name", &name, NULL, false},
                                       {"suite", &suite, NULL, false}};
    struct options options = {
        .command = "keygen", .usage = USAGE, .rows = rows, .count = countof(rows)};
    char full[KEY_NAME_MAX + 1];
    struct key *key;
    int status;
    if (!options_read(&options, argc, argv, &status))
        return status;
    if (suite_named(suite) == NULL)
        return options_refuse(
            &options, "--suite: expected sha256+ed25519 or sm3+sm2, got \"%s\"", suite);
    snprintf(full, sizeof(full), "outpost-city/%s", name);
    if (key_make(&key, suite_named(suite), full) != 0)
        return options_refuse(
            &options, "--name: expected letters without space and '+', got \"%s\"", name);
    int err = save(key, out);
    key_free(key);
    if (err)
        options_refuse(&options, "--out: %s: %s", out, strerror(-err));
    return err ? 1 : 0;
}
