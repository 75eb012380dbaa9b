/* bind_ftp - host.ftp: folders and files of a file server. In the annex of libcurl (annex.h).
 *
 * This header is for bind_ftpstream.c, the other half of it. */
#ifndef HOST_BIND_BIND_FTP_H
#define HOST_BIND_BIND_FTP_H

#include <lua.h>

#include "host/bind/annex.h"
#include "host/files/fetch.h"

extern const struct annex annex_ftp;

/* As bind_http_shared() and bind_http_start() do for requests: what all share, first of all; then what
 * the table at index 1 says, or the number of results that say what went wrong. */
struct fetches *bind_ftp_shared(lua_State *L);
int bind_ftp_start(lua_State *L, struct fetch **out, enum fetch_kind kind, bool stream,
                   void (*news)(void *owner), void *owner);

/* Pushes nil, message, code and the server's reply of a fetch that is over. */
int bind_ftp_fail(lua_State *L, const struct fetch_answer *answer);

/* Pushes { size =, time = }, as far as it was told. */
void bind_ftp_file(lua_State *L, const struct fetch_answer *answer);

/* host.ftp.stream, and its class. */
void bind_ftpstream(lua_State *L);

#endif
