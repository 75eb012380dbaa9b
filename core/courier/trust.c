/* trust - see trust.h. */
#include "courier/trust.h"

#include <openssl/ssl.h>

void trust_by(void *context, int64_t utc_us)
{
    X509_VERIFY_PARAM_set_time(SSL_CTX_get0_param(context), (time_t)(utc_us / 1000000));
}
