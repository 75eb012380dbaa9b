/* keygen - see keygen.h. */
#include "cli/keygen.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "base/base.h"
#include "base/file.h"
#include "proof/key.h"

static const char USAGE[] =
    "outpost keygen --out FILE [--name NAME] [--suite SUITE]\n"
    "\n"
    "Makes a key pair: FILE holds the private key (mode 0600, never written over an "
    "existing\n"
    "file), FILE.pub the public one, a line to be handed to whoever checks signatures.\n"
    "\n"
    "  --out FILE      where to write\n"
    "  --name NAME     who signs with it, without space and '+' (default "
    "outpost/office)\n"
    "  --suite SUITE   sha256+ed25519 (default) or sm3+sm2\n"
    "\n"
    "Exit status: 0, 1 (cannot be written), 2 (wrong use).\n";

struct wish {
    const char *path;
    const char *name;
    const char *suite;
};

static int write_public(const struct key *key, const char *path)
{
    char public_path[4096];
    struct buffer line = {0};
    int length = snprintf(public_path, sizeof(public_path), "%s.pub", path);
    if (length < 0 || (size_t)length >= sizeof(public_path))
        return -ENAMETOOLONG;
    key_print_verifier(key, &line);
    buffer_append(&line, "\n", 1);
    int err = file_put_durably(public_path, line.bytes, line.length, 0644);
    if (!err)
        fwrite(line.bytes, 1, line.length, stdout);
    buffer_free(&line);
    return err;
}

static int make_pair(const struct wish *wish)
{
    struct key *key = NULL;
    const struct suite *suite = suite_named(wish->suite);
    if (suite == NULL) {
        fprintf(
            stderr,
            "outpost keygen: --suite: expected sha256+ed25519 or sm3+sm2, got \"%s\"\n",
            wish->suite);
        return 2;
    }
    if (key_make(&key, suite, wish->name) != 0) {
        fprintf(
            stderr,
            "outpost keygen: --name: expected 1 to %d letters without space and '+', got "
            "\"%s\"\n",
            KEY_NAME_MAX, wish->name);
        return 2;
    }
    int err = key_save(key, wish->path);
    if (!err)
        err = write_public(key, wish->path);
    key_free(key);
    if (err)
        fprintf(stderr, "outpost keygen: %s: %s\n", wish->path, strerror(-err));
    return err ? 1 : 0;
}

int keygen_run(int argc, char **argv)
{
    static const struct option OPTIONS[] = {{"out", required_argument, NULL, 'o'},
                                            {"name", required_argument, NULL, 'n'},
                                            {"suite", required_argument, NULL, 's'},
                                            {"help", no_argument, NULL, 'h'},
                                            {0}};
    struct wish wish = {.name = "outpost/office", .suite = "sha256+ed25519"};
    const char **const places[] = {
        ['o'] = &wish.path, ['n'] = &wish.name, ['s'] = &wish.suite};
    int option;
    optind = 0;
    while ((option = getopt_long(argc, argv, "", OPTIONS, NULL)) >= 0) {
        if (option == 'h')
            return fputs(USAGE, stdout) < 0;
        if (option == '?')
            return 2;
        *places[option] = optarg;
    }
    if (wish.path == NULL || optind != argc) {
        fputs("outpost keygen: expected --out FILE; see outpost keygen --help\n", stderr);
        return 2;
    }
    return make_pair(&wish);
}
