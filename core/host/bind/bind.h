/* bind - the table `host` that a plugin's start() is given.
 *
 * One file binds one noun: it checks arguments, calls the floor below and turns the result around.
 * A bad argument is raised; a failed operation answers nil, message, code. */
#ifndef HOST_BIND_BIND_H
#define HOST_BIND_BIND_H

#include <lauxlib.h>
#include <lua.h>
#include <stdbool.h>
#include <stdint.h>

/* Pushes `host` with the basics and the capabilities in the table of texts at `needs` (nil:
 * none). Raises for one there is not. */
void bind_host(lua_State *L, int needs);

/* Each adds its functions to the table on top of the stack. */
void bind_log(lua_State *L);
void bind_time(lua_State *L);
void bind_emit(lua_State *L);
void bind_store(lua_State *L);
void bind_journal(lua_State *L);
void bind_metrics(lua_State *L);
void bind_random(lua_State *L);
void bind_modbus(lua_State *L);
void bind_tcp(lua_State *L);
void bind_udp(lua_State *L);
void bind_serial(lua_State *L);
void bind_blob(lua_State *L);
void bind_folder(lua_State *L);

/* Makes the metatable `name` of a kind of userdata that plugins get hold of. They get hold of its methods
 * only: a finaliser of theirs would run when no limit holds. */
void bind_class(lua_State *L, const char *name, const luaL_Reg *methods,
                lua_CFunction close);

/* Pushes nil, message, code and returns 3. */
int bind_fail(lua_State *L, const char *code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The argument as milliseconds: a whole number of at least `least`, or a text such as "1s". */
int64_t bind_duration(lua_State *L, int argument, int64_t least);

/* Raises unless the argument is nil or a table with no other names than these (the last is NULL). */
void bind_options(lua_State *L, int argument, const char *const *names);
/* The member of that table as milliseconds; `otherwise` when it is not there. */
int64_t bind_duration_in(lua_State *L, int options, const char *name, int64_t least,
                         int64_t most, int64_t otherwise);
/* The same for true or false. */
bool bind_flag_in(lua_State *L, int options, const char *name, bool otherwise);

/* The last statement of a binding that may have blocked, whose `results` are on top: when the slice
 * has lasted long already, everything else in the process has its turn first. */
int bind_breathe(lua_State *L, int results);

/* Sends what the handler has gathered and waits until it is durable; then the binding's results
 * are the seq of the first event, or nil. Raises when the keeper refuses. */
int bind_commit(lua_State *L);

#endif
