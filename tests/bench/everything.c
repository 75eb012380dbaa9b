/* everything - a program that opens once all that the appliance's programs open between them, says
 * so, and ends: the measure of a quick start. */
#include <event2/event.h>
#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <modbus.h>
#include <mosquitto.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <zstd.h>

#include "base/base.h"

static void open_store(const char *path)
{
    sqlite3 *db;
    ASSERT(sqlite3_open(path, &db) == SQLITE_OK);
    ASSERT(sqlite3_exec(
               db,
               "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
               "CREATE TABLE IF NOT EXISTS event(seq INTEGER PRIMARY KEY, body BLOB);"
               "INSERT INTO event(body) VALUES (zeroblob(400));",
               NULL, NULL, NULL) == SQLITE_OK);
}

static void sign_once(void)
{
    unsigned char signature[64];
    size_t length = sizeof(signature);
    EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    ASSERT(EVP_DigestSignInit(context, NULL, NULL, NULL, key) == 1);
    ASSERT(EVP_DigestSign(context, signature, &length, signature, 32) == 1);
}

int main(int argc, char **argv)
{
    ASSERT(argc == 2);
    ASSERT(event_base_new() != NULL);
    open_store(argv[1]);
    mosquitto_lib_init();
    ASSERT(mosquitto_new("bench", true, NULL) != NULL);
    for (int i = 0; i < 8; i++)
        luaL_openlibs(luaL_newstate());
    ASSERT(modbus_new_tcp("127.0.0.1", 502) != NULL);
    ASSERT(ZSTD_createCCtx() != NULL);
    sign_once();
    SSL_CTX *tls = SSL_CTX_new(TLS_client_method());
    ASSERT(tls != NULL && SSL_CTX_set_default_verify_paths(tls) == 1);
    SSL_CTX_load_verify_locations(tls, "/etc/ssl/certs/ca-certificates.crt", NULL);
    puts("ready");
    return 0;
}
