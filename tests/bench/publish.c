/* publish - what a program does that sends each event by itself: libmosquitto, QoS 1, nothing on disk.
 *
 *   publish PORT TOPIC COUNT WINDOW BYTES
 *
 * Keeps WINDOW messages of BYTES unacknowledged until COUNT are acknowledged. Prints one JSON object. */
#include <mosquitto.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/base.h"
#include "base/now.h"

struct publish {
    struct mosquitto *client;
    const char *topic;
    char *payload;
    int bytes;
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

static void send_all(struct publish *publish)
{
    while (publish->acked < publish->count) {
        while (publish->sent < publish->count &&
               publish->sent - publish->acked < publish->window) {
            ASSERT(mosquitto_publish(publish->client, NULL, publish->topic,
                                     publish->bytes, publish->payload, 1, false) == 0);
            publish->sent++;
        }
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
    if (argc != 6) {
        fprintf(stderr, "usage: publish PORT TOPIC COUNT WINDOW BYTES\n");
        return 2;
    }
    struct publish publish = {.topic = argv[2],
                              .count = atoll(argv[3]),
                              .window = atoll(argv[4]),
                              .bytes = atoi(argv[5])};
    publish.payload = malloc((size_t)publish.bytes + 1);
    ASSERT(publish.payload != NULL);
    memset(publish.payload, 'x', (size_t)publish.bytes);
    open_client(&publish, atoi(argv[1]));
    int64_t began_us = now_mono_us();
    double cpu_s = cpu_seconds();
    send_all(&publish);
    printf("{\"messages\":%lld,\"seconds\":%.6f,\"cpu_s\":%.6f}\n",
           (long long)publish.count, (double)(now_mono_us() - began_us) / 1e6,
           cpu_seconds() - cpu_s);
    mosquitto_disconnect(publish.client);
    mosquitto_destroy(publish.client);
    free(publish.payload);
    return 0;
}
