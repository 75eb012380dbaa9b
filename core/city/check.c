/* check - see check.h. */
#include "city/check.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/base.h"
#include "city/offices.h"
#include "city/run.h"
#include "city/store.h"
#include "proof/key.h"

static const char USAGE[] = "usage: outpost-city check OPTION ...\n"
                            "\n"
                            "Takes the options of `outpost-city run` and says whether it "
                            "would begin with them. Connects\n"
                            "to nobody and writes nothing. Exit status: 0 and \"ok\", 1 "
                            "with one line for each fault, 2\n"
                            "on wrong use.\n";

static int faults(const char *option, const char *what)
{
    fprintf(stderr, "outpost-city check: --%s: %s\n", option, what);
    return 1;
}

static int check_database(const struct run_wish *wish)
{
    struct store *store;
    char why[STORE_WHY_ROOM];
    int err = store_open(&store, store_path(wish->database), false, why);
    if (err == -ENOENT)
        return 0; /* it will be made */
    if (err)
        return faults("database", why);
    store_close(store);
    return 0;
}

static int check_key(const struct run_wish *wish)
{
    struct key *key;
    char why[STORE_WHY_ROOM];
    int err = key_load(&key, wish->key);
    if (!err) {
        key_free(key);
        return 0;
    }
    snprintf(why, sizeof(why), "%.120s: %s", wish->key,
             err == -EPROTO ? "expected a private key, as outpost-city keygen makes it"
                            : strerror(-err));
    return faults("key", why);
}

static int check_offices(const struct run_wish *wish)
{
    struct offices *offices;
    char why[OFFICES_WHY_ROOM];
    if (wish->offices == NULL)
        return 0;
    if (offices_open(&offices, NULL, wish->offices, why) != 0)
        return faults("offices", why);
    offices_close(offices);
    return 0;
}

static int check_file(const char *option, const char *path)
{
    char why[STORE_WHY_ROOM];
    if (path == NULL || access(path, R_OK) == 0)
        return 0;
    snprintf(why, sizeof(why), "%.120s: %s", path, strerror(errno));
    return faults(option, why);
}

int check_run(int argc, char **argv)
{
    struct run_wish wish = {0};
    int status;
    if (!run_read(&wish, "check", USAGE, argc, argv, &status))
        return status;
    int found = check_database(&wish) + check_key(&wish) + check_offices(&wish) +
                check_file("ca", wish.ca) + check_file("cert", wish.cert) +
                check_file("tls-key", wish.tls_key) +
                check_file("bulk-cert", wish.bulk_cert) +
                check_file("bulk-tls-key", wish.bulk_tls_key);
    if (found > 0)
        return 1;
    puts("ok");
    return 0;
}
