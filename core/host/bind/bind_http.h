/* bind_http - host.http: requests, streams and upload bodies. In an annex of its own (annex.h).
 *
 * This header is for bind_stream.c, the other half of it. */
#ifndef HOST_BIND_BIND_HTTP_H
#define HOST_BIND_BIND_HTTP_H

#include <lua.h>

#include "host/web/headers.h"
#include "host/bind/annex.h"
#include "host/web/transfer.h"

extern const struct annex annex_http;

/* What all requests of the plugin share; made by the first call, which comes before the first handle
 * of a request, so that it is collected after all of them. May raise. */
struct transfers *bind_http_shared(lua_State *L);

/* Opens and starts what the table at index 1 says, with `news` for `owner`. Raises for a wrong
 * argument; else 0, or the number of results that say what went wrong. On success the caller closes
 * *out; also when it raises, if *out is set. */
int bind_http_start(lua_State *L, struct transfer **out, bool stream,
                    void (*news)(void *owner), void *owner);

enum {
    BIND_HTTP_REFUSALS = 400
}; /* statuses of answers that tell nothing of the device */

/* Pushes nil, message, code of a transfer that is over. */
int bind_http_fail(lua_State *L, const struct transfer_answer *answer);

/* Pushes them as a table; what comes twice is joined by commas. */
void bind_http_headers(lua_State *L, const struct headers *headers);

/* host.http.stream, and its class. */
void bind_stream(lua_State *L);

/* host.http.multipart. */
void bind_form(lua_State *L);

#endif
