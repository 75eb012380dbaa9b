/* annex - stands in for host/bind/annex.c: what a shared object would bring is linked in, and what it does
 * outside is done by a double (transfer.c,
 * fetch.c, server.c). Still only for who needs it. */
#include "host/bind/annex.h"

#include <string.h>

#include "base/base.h"
#include "host/bind/bind_ftp.h"
#include "host/bind/bind_http.h"

extern const struct annex annex_serve; /* bind_serve.c has no header */

static struct {
    const char *need;
    const struct annex *annex;
    bool loaded;
} annexes[] = {
    {"http", &annex_http, false},
    {"ftp", &annex_ftp, false},
    {"serve", &annex_serve, false},
};

const char *annex_load_all(const struct json *needs)
{
    for (size_t i = 0; i < countof(annexes); i++)
        annexes[i].loaded = false;
    for (const struct json *item = json_first(needs); item != NULL;
         item = json_next(item))
        for (size_t i = 0; i < countof(annexes); i++)
            annexes[i].loaded |= json_value(item) != NULL &&
                                 strcmp(json_value(item), annexes[i].need) == 0;
    return NULL;
}

const struct annex *annex_find(const char *need)
{
    for (size_t i = 0; i < countof(annexes); i++)
        if (annexes[i].loaded && strcmp(annexes[i].need, need) == 0)
            return annexes[i].annex;
    return NULL;
}
