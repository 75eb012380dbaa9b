/* publish - what a program does that sends each event by itself: libmosquitto, QoS 1, nothing on disk.
 *
 *   publish PORT TOPIC COUNT WINDOW BYTES [FILE]
 *
 * Keeps WINDOW messages of BYTES unacknowledged until COUNT are acknowledged; with FILE, each is its content,
 * packed anew by zstd at level -1. Prints one JSON object. */
#include <mosquitto.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <zstd.h>

#include "base/base.h"
#include "base/now.h"

struct publish {
    struct mosquitto *client;
    const char *topic;
    char *payload;
    int bytes;
    ZSTD_CCtx *packer; /* NULL: the payload goes as it is */
    char *packed;
    int64_t count, window, sent, acked;
    bool is_connected;
};

static void connected(struct mosquitto *client, void *owner, int code)
{
    struct publish *publish = owner;
    (void)client;
    ASSERT(code == 0);
    publish->is_connected = true;
}

static void acked(struct mosquitto *client, void *owner, int number)
{
    struct publish *publish = owner;
    (void)client;
    (void)number;
    publish->acked++;
}

static void turn(struct publish *publish)
{
    int err = mosquitto_loop(publish->client, 1000, 1);
    if (err == 0)
        return;
    fprintf(stderr, "publish: %s\n", mosquitto_strerror(err));
    exit(1);
}

static void open_client(struct publish *publish, int port)
{
    mosquitto_lib_init();
    publish->client = mosquitto_new("publish", true, publish);
    ASSERT(publish->client != NULL);
    mosquitto_connect_callback_set(publish->client, connected);
    mosquitto_publish_callback_set(publish->client, acked);
    mosquitto_int_option(publish->client, MOSQ_OPT_TCP_NODELAY, 1);
    mosquitto_max_inflight_messages_set(publish->client, (unsigned)publish->window);
    int err = mosquitto_connect(publish->client, "127.0.0.1", port, 60);
    if (err != 0) {
        fprintf(stderr, "publish: %s\n", mosquitto_strerror(err));
        exit(1);
    }
    while (!publish->is_connected)
        turn(publish);
}

/* A file of events to be packed: they are the payload. */
static void read_events(struct publish *publish, const char *path)
{
    FILE *file = fopen(path, "rb");
    ASSERT(file != NULL && fseek(file, 0, SEEK_END) == 0);
    publish->bytes = (int)ftell(file);
    rewind(file);
    publish->payload = realloc(publish->payload, (size_t)publish->bytes);
    ASSERT(fread(publish->payload, 1, (size_t)publish->bytes, file) ==
           (size_t)publish->bytes);
    fclose(file);
    publish->packer = ZSTD_createCCtx();
    publish->packed = malloc(ZSTD_compressBound((size_t)publish->bytes));
    ASSERT(publish->packer != NULL && publish->packed != NULL);
}

static void send_one(struct publish *publish)
{
    const char *payload = publish->payload;
    size_t bytes = (size_t)publish->bytes;
    if (publish->packer != NULL) {
        bytes = ZSTD_compressCCtx(publish->packer, publish->packed,
                                  ZSTD_compressBound(bytes), payload, bytes, -1);
        payload = publish->packed;
    }
    ASSERT(mosquitto_publish(publish->client, NULL, publish->topic, (int)bytes, payload,
                             1, false) == 0);
    publish->sent++;
}

static void send_all(struct publish *publish)
{
    while (publish->acked < publish->count) {
        while (publish->sent < publish->count &&
               publish->sent - publish->acked < publish->window)
            send_one(publish);
        turn(publish);
    }
}

static double cpu_seconds(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

int main(int argc, char **argv)
{
    if (argc != 6 && argc != 7) {
        fprintf(stderr, "usage: publish PORT TOPIC COUNT WINDOW BYTES [FILE]\n");
        return 2;
    }
    struct publish publish = {.topic = argv[2],
                              .count = atoll(argv[3]),
                              .window = atoll(argv[4]),
                              .bytes = atoi(argv[5])};
    publish.payload = malloc((size_t)publish.bytes + 1);
    ASSERT(publish.payload != NULL);
    memset(publish.payload, 'x', (size_t)publish.bytes);
    if (argc == 7)
        read_events(&publish, argv[6]);
    open_client(&publish, atoi(argv[1]));
    int64_t began_us = now_mono_us();
    double cpu_s = cpu_seconds();
    send_all(&publish);
    printf("{\"messages\":%lld,\"seconds\":%.6f,\"cpu_s\":%.6f}\n",
           (long long)publish.count, (double)(now_mono_us() - began_us) / 1e6,
           cpu_seconds() - cpu_s);
    mosquitto_disconnect(publish.client);
    mosquitto_destroy(publish.client);
    ZSTD_freeCCtx(publish.packer);
    free(publish.packed);
    free(publish.payload);
    return 0;
}
