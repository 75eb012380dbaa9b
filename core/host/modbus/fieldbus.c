/* fieldbus - see fieldbus.h. The door to libmodbus.
 *
 * libmodbus opens and sets up the socket or the serial line. Messages go through its file
 * descriptor by our own hands, because what this file promises needs it: its receiver knows no
 * wall deadline by default, throws no late answer away, and does not show the MBAP length.
 *
 * Invariant: `fd` is -1 exactly while the line is closed; nothing is owed on TCP. */
#include "host/modbus/fieldbus.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <modbus.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/base.h"
#include "base/mem.h"
#include "base/now.h"
#include "host/modbus/adu.h"
#include "host/modbus/owed.h"
#include "host/tap/tap.h"

/* The standard parts two frames by 3.5 characters of silence, and by 1.75 ms from 19,200 baud on.
 * Drivers hand over in pieces: only after 40 characters and 10 ms a frame has surely ended. */
enum { GAP_LEAST_US = 1750, GAP_BITS = 39, QUIET_LEAST_MS = 10, QUIET_BITS = 40 * 11 };

struct fieldbus {
    modbus_t *context;
    bool tcp;
    int fd;
    uint16_t transaction;
    struct owed owed;
    int gap_us;
    int quiet_ms;
    int64_t heard_us; /* when the last byte came */
    int patience_ms;  /* how long a read of the socket waits by itself */
    int exception;
    char why[160];
    char name[RING_NAME_ROOM]; /* for who records it */
};

static enum fieldbus_fault fail(struct fieldbus *bus, enum fieldbus_fault fault,
                                const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static enum fieldbus_fault fail(struct fieldbus *bus, enum fieldbus_fault fault,
                                const char *format, ...)
{
    va_list values;
    va_start(values, format);
    vsnprintf(bus->why, sizeof(bus->why), format, values);
    va_end(values);
    return fault;
}

static int left_ms(int64_t until_us)
{
    int64_t left_us = until_us - now_mono_us();
    return left_us > 0 ? (int)((left_us + 999) / 1000) : 0;
}

static int64_t from_now(int ms)
{
    return now_mono_us() + (int64_t)ms * 1000;
}

/* ---- Open and close */

static modbus_t *new_context(const struct busurl *url)
{
    struct in_addr address;
    if (!url->tcp)
        return modbus_new_rtu(url->place, url->baud, url->parity, 8, url->stop);
    if (inet_pton(AF_INET, url->place, &address) == 1)
        return modbus_new_tcp(url->place, atoi(url->port));
    return modbus_new_tcp_pi(url->place, url->port);
}

int fieldbus_open(struct fieldbus **out, const struct busurl *url)
{
    modbus_t *context = new_context(url);
    if (context == NULL)
        return -ENOMEM;
    struct fieldbus *bus = mem_new(struct fieldbus);
    bus->context = context;
    bus->tcp = url->tcp;
    bus->fd = -1;
    snprintf(bus->name, sizeof(bus->name),
             url->tcp ? "modbus-tcp://%s:%s" : "modbus-rtu://%s%s", url->place,
             url->tcp ? url->port : "");
    bus->gap_us = GAP_BITS * 1000000 / url->baud;
    if (bus->gap_us < GAP_LEAST_US)
        bus->gap_us = GAP_LEAST_US;
    bus->quiet_ms = QUIET_LEAST_MS + QUIET_BITS * 1000 / url->baud;
    *out = bus;
    return 0;
}

static void hang_up(struct fieldbus *bus)
{
    if (bus->fd >= 0)
        modbus_close(bus->context);
    bus->fd = -1;
}

void fieldbus_close(struct fieldbus *bus)
{
    if (bus == NULL)
        return;
    hang_up(bus);
    modbus_free(bus->context);
    mem_free(bus);
}

static enum fieldbus_fault connect_line(struct fieldbus *bus, int64_t until_us)
{
    int ms = left_ms(until_us);
    if (bus->fd >= 0)
        return FIELDBUS_GOOD;
    if (ms == 0)
        return fail(bus, FIELDBUS_TIMEOUT, "no connection within the time-out");
    modbus_set_response_timeout(bus->context, (uint32_t)ms / 1000,
                                (uint32_t)(ms % 1000) * 1000);
    errno = 0;
    if (modbus_connect(bus->context) != 0) {
        if (errno == ETIMEDOUT || errno == EINPROGRESS)
            return fail(bus, FIELDBUS_TIMEOUT, "no connection within %d ms", ms);
        return fail(bus, FIELDBUS_REFUSED, "cannot be opened: %s",
                    modbus_strerror(errno));
    }
    bus->fd = modbus_get_socket(bus->context);
    ASSERT(bus->fd >= 0 && bus->fd < FD_SETSIZE);
    bus->patience_ms = 0;
    if (bus->tcp && fcntl(bus->fd, F_SETFL, 0) != 0) /* read_first() waits in recv() */
        return fail(bus, FIELDBUS_REFUSED, "cannot be set up: %s", strerror(errno));
    return FIELDBUS_GOOD;
}

/* ---- Bytes */

static int came(const struct fieldbus *bus, const uint8_t *bytes, ssize_t length)
{
    tap_put(bus->name, RING_IN, bytes, (size_t)length);
    return (int)length;
}

/* Reads what is there: more than 0, 0 when nothing came in time, -EPIPE when the line is over. */
static int read_some(struct fieldbus *bus, uint8_t *bytes, size_t most, int64_t until_us)
{
    struct pollfd ready = {.fd = bus->fd, .events = POLLIN};
    for (;;) {
        int count = poll(&ready, 1, left_ms(until_us));
        if (count == 0)
            return 0;
        if (count < 0 && errno == EINTR)
            continue;
        ssize_t length = read(bus->fd, bytes, most);
        if (length > 0)
            return came(bus, bytes, length);
        if (length < 0 && (errno == EINTR || errno == EAGAIN))
            continue;
        return -EPIPE;
    }
}

/* The same for the first bytes of a TCP answer with one system call instead of two: the socket
 * itself waits. */
static int read_first(struct fieldbus *bus, uint8_t *bytes, size_t most, int64_t until_us)
{
    int ms = left_ms(until_us);
    struct timeval patience = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};
    if (ms == 0)
        return 0; /* a socket takes that for "for ever" */
    if (bus->patience_ms != ms &&
        setsockopt(bus->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) != 0)
        return -EPIPE;
    bus->patience_ms = ms;
    ssize_t length = recv(bus->fd, bytes, most, 0);
    if (length > 0)
        return came(bus, bytes, length);
    if (length < 0 && (errno == EAGAIN || errno == EINTR))
        return read_some(bus, bytes, most, until_us);
    return -EPIPE;
}

/* Throws away what is in the line already. 0, or -EPIPE when it is over. */
static int flush(struct fieldbus *bus)
{
    uint8_t waste[ADU_MAX];
    for (int i = 0; i < 64; i++) {
        ssize_t length = bus->tcp ? recv(bus->fd, waste, sizeof(waste), MSG_DONTWAIT)
                                  : read(bus->fd, waste, sizeof(waste));
        if (length < 0)
            return errno == EAGAIN || errno == EINTR ? 0 : -EPIPE;
        if (length == 0)
            return bus->tcp ? -EPIPE : 0;
        came(bus, waste, length);
    }
    return -EPIPE; /* it never stops talking */
}

static int send_all(struct fieldbus *bus, const struct adu *adu, int64_t until_us)
{
    size_t sent = 0;
    while (sent < adu->length) {
        ssize_t length = bus->tcp ? send(bus->fd, adu->bytes + sent, adu->length - sent,
                                         MSG_NOSIGNAL | MSG_DONTWAIT)
                                  : write(bus->fd, adu->bytes + sent, adu->length - sent);
        if (length >= 0) {
            tap_put(bus->name, RING_OUT, adu->bytes + sent, (size_t)length);
            sent += (size_t)length;
            continue;
        }
        struct pollfd ready = {.fd = bus->fd, .events = POLLOUT};
        if (errno == EAGAIN && left_ms(until_us) > 0)
            poll(&ready, 1, left_ms(until_us));
        else if (errno != EINTR)
            return errno == EAGAIN ? -ETIMEDOUT : -EPIPE;
    }
    return 0;
}

/* ---- TCP */

static enum fieldbus_fault receive_tcp(struct fieldbus *bus, struct adu *adu,
                                       int64_t until_us)
{
    int lacks;
    adu->length = 0;
    while ((lacks = adu_lacks_tcp(adu)) > 0) {
        /* all that is there: a message too many is a foreign one as well */
        uint8_t *end = adu->bytes + adu->length;
        size_t most = ADU_MAX - adu->length;
        int length = adu->length == 0 ? read_first(bus, end, most, until_us)
                                      : read_some(bus, end, most, until_us);
        if (length == 0)
            return fail(bus, FIELDBUS_TIMEOUT, "no answer in time (%d bytes came)",
                        (int)adu->length);
        if (length < 0)
            return fail(bus, FIELDBUS_CLOSED, "the device closed the connection");
        adu->length += (size_t)length;
    }
    if (lacks < 0)
        return fail(bus, FIELDBUS_IDENTITY, "an answer that is no Modbus/TCP");
    return FIELDBUS_GOOD;
}

/* A connection that the device has closed since is opened again. */
static enum fieldbus_fault fresh_line(struct fieldbus *bus, int64_t until_us)
{
    if (bus->fd >= 0 && flush(bus) != 0)
        hang_up(bus);
    return connect_line(bus, until_us);
}

static enum fieldbus_fault ask_tcp(struct fieldbus *bus, uint8_t unit,
                                   const struct pdu *request, struct pdu *answer,
                                   int64_t until_us)
{
    struct adu adu;
    enum fieldbus_fault fault = fresh_line(bus, until_us);
    if (fault)
        return fault;
    adu_put_tcp(&adu, ++bus->transaction, unit, request);
    int err = send_all(bus, &adu, until_us);
    if (err)
        return err == -ETIMEDOUT
                   ? fail(bus, FIELDBUS_TIMEOUT, "the device takes no request")
                   : fail(bus, FIELDBUS_CLOSED, "the device closed the connection");
    fault = receive_tcp(bus, &adu, until_us);
    if (fault)
        return fault;
    const char *wrong = adu_open_tcp(&adu, bus->transaction, unit, answer);
    if (wrong != NULL)
        return fail(bus, FIELDBUS_IDENTITY, "not the answer of this request: %s", wrong);
    return FIELDBUS_GOOD;
}

/* ---- Serial line */

/* One frame: as long as its function says, or until the line is quiet. */
static enum fieldbus_fault receive_rtu(struct fieldbus *bus, struct adu *adu,
                                       const struct pdu *request, int64_t until_us)
{
    adu->length = 0;
    for (;;) {
        int lacks = adu_lacks_rtu(adu, request);
        if (lacks == 0 || lacks == -EPROTO || adu->length == ADU_MAX)
            return FIELDBUS_GOOD;
        int64_t quiet_us = from_now(bus->quiet_ms);
        bool by_quiet = lacks < 0 && quiet_us < until_us;
        size_t most = lacks > 0 ? (size_t)lacks : ADU_MAX - adu->length;
        int length = read_some(bus, adu->bytes + adu->length, most,
                               by_quiet ? quiet_us : until_us);
        if (length < 0)
            return fail(bus, FIELDBUS_CLOSED, "the serial line is gone");
        if (length == 0 && by_quiet)
            return FIELDBUS_GOOD;
        if (length == 0)
            return fail(bus, FIELDBUS_TIMEOUT, "no answer in time (%d bytes came)",
                        (int)adu->length);
        adu->length += (size_t)length;
    }
}

/* Throws away bytes until the line has been quiet, at most until then. */
static void drain(struct fieldbus *bus, int64_t until_us)
{
    uint8_t waste[ADU_MAX];
    for (;;) {
        int64_t quiet_us = from_now(bus->quiet_ms);
        if (read_some(bus, waste, sizeof(waste),
                      quiet_us < until_us ? quiet_us : until_us) <= 0)
            return;
    }
}

/* What came is opened and held against the request. */
static enum fieldbus_fault open_rtu(struct fieldbus *bus, const struct adu *adu,
                                    uint8_t unit, const struct pdu *request,
                                    struct pdu *answer)
{
    int exception;
    const char *wrong = adu_open_rtu(adu, unit, answer);
    if (wrong == NULL && pdu_check(request, answer, &exception) == -EPROTO)
        wrong = "wrong function or length";
    if (wrong != NULL)
        return fail(bus, FIELDBUS_IDENTITY, "not the answer of this request: %s", wrong);
    return FIELDBUS_GOOD;
}

/* While answers are owed, a foreign one may be one of them, and the right one follows. */
static enum fieldbus_fault receive_own(struct fieldbus *bus, uint8_t unit,
                                       const struct pdu *request, struct pdu *answer,
                                       int64_t until_us)
{
    struct adu adu;
    bool foreign = false;
    for (;;) {
        enum fieldbus_fault fault = receive_rtu(bus, &adu, request, until_us);
        if (!fault)
            fault = open_rtu(bus, &adu, unit, request, answer);
        if (fault == FIELDBUS_TIMEOUT && foreign)
            return fail(bus, FIELDBUS_IDENTITY,
                        "only answers of other requests came in time");
        if (fault != FIELDBUS_IDENTITY || owed_is_empty(&bus->owed))
            return fault;
        foreign = true;
    }
}

/* Lets the silence pass that has to be before a request. What breaks it is thrown away, at most
 * until then. */
static void keep_gap(struct fieldbus *bus, int64_t until_us)
{
    uint8_t waste[ADU_MAX];
    struct pollfd ready = {.fd = bus->fd, .events = POLLIN};
    int64_t now_us;
    while ((now_us = now_mono_us()) < bus->heard_us + bus->gap_us && now_us < until_us) {
        int64_t left_us = bus->heard_us + bus->gap_us - now_us;
        struct timespec left = {.tv_nsec = left_us * 1000};
        if (ppoll(&ready, 1, &left, NULL) <= 0)
            continue;
        ssize_t length = read(bus->fd, waste, sizeof(waste));
        if (length <= 0)
            return; /* flush() will say so */
        came(bus, waste, length);
        bus->heard_us = now_mono_us();
    }
}

/* One request and its answer. What did not come is owed. */
static enum fieldbus_fault exchange_rtu(struct fieldbus *bus, uint8_t unit,
                                        const struct pdu *request, struct pdu *answer,
                                        int timeout_ms)
{
    struct adu adu;
    int64_t until_us = from_now(timeout_ms);
    keep_gap(bus, until_us);
    if (flush(bus) != 0)
        return fail(bus, FIELDBUS_CLOSED, "the serial line is gone, or never quiet");
    adu_put_rtu(&adu, unit, request);
    if (send_all(bus, &adu, until_us) != 0)
        return fail(bus, FIELDBUS_CLOSED, "the serial line takes no request");
    enum fieldbus_fault fault = receive_own(bus, unit, request, answer, until_us);
    bus->heard_us = now_mono_us();
    if (!fault)
        return fault;
    owed_add(&bus->owed, unit, request);
    if (fault != FIELDBUS_CLOSED)
        drain(bus, from_now(timeout_ms));
    return fault;
}

/* Makes sure that no late answer can pass for the one of this request. */
static enum fieldbus_fault settle(struct fieldbus *bus, uint8_t unit,
                                  const struct pdu *request, int timeout_ms)
{
    struct pdu probe, answer;
    if (!owed_confuses(&bus->owed, unit, request))
        return FIELDBUS_GOOD;
    if (!owed_probe(&bus->owed, unit, request, &probe)) {
        usleep((useconds_t)timeout_ms * 1000); /* all that can be done is to wait */
        owed_settle(&bus->owed, unit, NULL);
        return FIELDBUS_GOOD;
    }
    enum fieldbus_fault fault = exchange_rtu(bus, unit, &probe, &answer, timeout_ms);
    if (!fault)
        owed_settle(&bus->owed, unit, &probe);
    return fault;
}

static enum fieldbus_fault ask_rtu(struct fieldbus *bus, uint8_t unit,
                                   const struct pdu *request, struct pdu *answer,
                                   int timeout_ms)
{
    enum fieldbus_fault fault = connect_line(bus, from_now(timeout_ms));
    if (!fault)
        fault = settle(bus, unit, request, timeout_ms);
    return fault ? fault : exchange_rtu(bus, unit, request, answer, timeout_ms);
}

/* ---- Both */

enum fieldbus_fault fieldbus_ask(struct fieldbus *bus, int unit,
                                 const struct pdu *request, struct pdu *answer,
                                 int timeout_ms)
{
    enum fieldbus_fault fault =
        bus->tcp ? ask_tcp(bus, (uint8_t)unit, request, answer, from_now(timeout_ms))
                 : ask_rtu(bus, (uint8_t)unit, request, answer, timeout_ms);
    int err = fault ? 0 : pdu_check(request, answer, &bus->exception);
    if (err == -EREMOTEIO)
        return fail(bus, FIELDBUS_EXCEPTION, "exception %d: %s", bus->exception,
                    pdu_exception_name(bus->exception));
    if (err)
        fault = fail(bus, FIELDBUS_IDENTITY,
                     "not the answer of this request: wrong function or length");
    if (fault && (bus->tcp || fault == FIELDBUS_CLOSED))
        hang_up(bus);
    return fault;
}

const char *fieldbus_why(const struct fieldbus *bus)
{
    return bus->why;
}

int fieldbus_exception(const struct fieldbus *bus)
{
    return bus->exception;
}

const char *fieldbus_fault_name(enum fieldbus_fault fault)
{
    static const char *const NAMES[] = {
        [FIELDBUS_GOOD] = "good",           [FIELDBUS_TIMEOUT] = "timeout",
        [FIELDBUS_EXCEPTION] = "exception", [FIELDBUS_IDENTITY] = "identity",
        [FIELDBUS_CLOSED] = "closed",       [FIELDBUS_REFUSED] = "refused",
    };
    return NAMES[fault];
}
