/* tls - who the broker must be, and who we are: TLS 1.2 at least, for one attempt to connect.
 *
 * The broker's certificate must be signed by an authority of `ca` and by no other, be for this
 * host, and be valid at utc_us, which is the caller's business: the machine's clock may be wrong.
 * What goes wrong is told in words that name the reason. */
#ifndef MQTT_TLS_H
#define MQTT_TLS_H

#include <stdbool.h>
#include <stdint.h>

enum { TLS_WHY_ROOM = 400 };

struct tls;

struct tls_wish {
    const char *host;       /* a name, or an address */
    const char *ca;         /* PEM file; NULL: the authorities of the system */
    const char *cert, *key; /* PEM files, or NULL */
    int64_t utc_us;
    bool is_least; /* it may be later than utc_us: nothing is too young to be believed */
};

/* Reads the files. -EINVAL when they cannot be used, and `why`, naming the setting. */
int tls_open(struct tls **out, const struct tls_wish *wish, char why[TLS_WHY_ROOM]);
/* Not before the last connection that was made with it is gone. */
void tls_close(struct tls *tls);

/* The SSL_CTX, for the library that connects; `tls` keeps it. */
void *tls_context(struct tls *tls);

/* Why the two did not agree; empty while that is not known. */
const char *tls_complaint(const struct tls *tls);

/* OpenSSL finds what went wrong on one connection where the next one looks for its own trouble: to
 * be called before the library is. */
void tls_forget_errors(void);

#endif
