/* trust - the time that certificates are judged by. The door to OpenSSL. */
#ifndef COURIER_TRUST_H
#define COURIER_TRUST_H

#include <stdint.h>

/* `context` is the SSL_CTX of a connection that is about to be made. */
void trust_by(void *context, int64_t utc_us);

#endif
