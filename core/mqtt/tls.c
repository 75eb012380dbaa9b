/* tls - see tls.h.
 *
 * libmosquitto can check a certificate against the system's clock only, and says of every failure
 * that it failed. So it is given a context of ours: with our time, our host, and with two calls that
 * note what OpenSSL thinks of the broker's certificate and what the broker thinks of ours. */
#include "mqtt/tls.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/base.h"
#include "base/mem.h"
#include "base/now.h"
#include "mqtt/broker.h"

enum { HOST_MAX = 254 };

struct tls {
    SSL_CTX *context;
    int64_t utc_us;
    bool is_least;
    char host[HOST_MAX];
    char complaint[TLS_WHY_ROOM];
};

static struct tls *tls_of(const SSL *ssl)
{
    return SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
}

/* The first complaint is the true one. */
static void complain(struct tls *tls, const char *text)
{
    if (tls->complaint[0] == '\0')
        snprintf(tls->complaint, sizeof(tls->complaint), "%s", text);
}

/* ---- What we think of the broker */

static const struct {
    int error;
    const char *text;
} VERDICTS[] = {
    {X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT, "is self-signed: of an unknown authority"},
    {X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN, "is of an unknown authority"},
    {X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT, "is of an unknown authority"},
    {X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY, "is of an unknown authority"},
    {X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE, "is of an unknown authority"},
    {X509_V_ERR_CERT_SIGNATURE_FAILURE,
     "is of an unknown authority: its signature is false"},
    {X509_V_ERR_INVALID_CA, "is signed by one that is no authority"},
    {X509_V_ERR_INVALID_PURPOSE, "is not one for servers"},
    {X509_V_ERR_CERT_REVOKED, "is revoked"},
};

static const char *verdict_of(int error)
{
    for (size_t i = 0; i < countof(VERDICTS); i++)
        if (VERDICTS[i].error == error)
            return VERDICTS[i].text;
    return NULL;
}

enum { SECOND_LENGTH = 19 }; /* of "2026-11-21T03:04:05" */

static void print_second(char text[NOW_TEXT_ROOM], int64_t utc_us)
{
    now_format(text, utc_us);
    strcpy(text + SECOND_LENGTH, "Z");
}

static void print_bound(char text[NOW_TEXT_ROOM], const ASN1_TIME *bound)
{
    struct tm at;
    if (ASN1_TIME_to_tm(bound, &at) != 1)
        at = (struct tm){.tm_mday = 1};
    print_second(text, (int64_t)timegm(&at) * 1000000);
}

static void judge_times(const struct tls *tls, const X509 *cert, const char *whose,
                        bool is_over, char text[TLS_WHY_ROOM])
{
    char bound[NOW_TEXT_ROOM], here[NOW_TEXT_ROOM];
    print_bound(bound, is_over ? X509_get0_notAfter(cert) : X509_get0_notBefore(cert));
    print_second(here, tls->utc_us);
    snprintf(text, TLS_WHY_ROOM,
             is_over ? "%s has expired: it was valid until %s, and here it is %s"
                     : "%s is not yet valid: it is from %s on, and here it is %s",
             whose, bound, here);
}

static void judge(const struct tls *tls, X509_STORE_CTX *store, char text[TLS_WHY_ROOM])
{
    int error = X509_STORE_CTX_get_error(store);
    const X509 *cert = X509_STORE_CTX_get_current_cert(store);
    const char *verdict = verdict_of(error);
    const char *whose = "the broker's certificate";
    if (verdict == NULL && X509_STORE_CTX_get_error_depth(store) > 0)
        whose = "the certificate of the broker's authority";
    if (error == X509_V_ERR_CERT_HAS_EXPIRED || error == X509_V_ERR_CERT_NOT_YET_VALID)
        judge_times(tls, cert, whose, error == X509_V_ERR_CERT_HAS_EXPIRED, text);
    else if (error == X509_V_ERR_HOSTNAME_MISMATCH ||
             error == X509_V_ERR_IP_ADDRESS_MISMATCH)
        snprintf(text, TLS_WHY_ROOM, "%s is for another host than %s", whose, tls->host);
    else if (verdict != NULL)
        snprintf(text, TLS_WHY_ROOM, "%s %s", whose, verdict);
    else
        snprintf(text, TLS_WHY_ROOM, "%s cannot be believed: %s", whose,
                 X509_verify_cert_error_string(error));
}

static int check_broker(int is_good, X509_STORE_CTX *store)
{
    const SSL *ssl =
        X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
    char text[TLS_WHY_ROOM];
    if (is_good)
        return 1;
    /* Who does not know the time can know that a certificate is over, not that it is too early. */
    if (X509_STORE_CTX_get_error(store) == X509_V_ERR_CERT_NOT_YET_VALID &&
        tls_of(ssl)->is_least) {
        X509_STORE_CTX_set_error(store, X509_V_OK);
        return 1;
    }
    judge(tls_of(ssl), store, text);
    complain(tls_of(ssl), text);
    return 0;
}

/* ---- What the broker thinks of us */

static const struct {
    int alert;
    const char *text;
} ALERTS[] = {
    {SSL_AD_CERTIFICATE_REQUIRED, "the broker asks for a certificate, and got none"},
    {SSL_AD_HANDSHAKE_FAILURE,
     "the broker ended the handshake: it asks for a certificate, or we have no cipher in "
     "common"},
    {SSL_AD_CERTIFICATE_EXPIRED,
     "the broker refuses our certificate: it has expired, or is not yet valid"},
    {SSL_AD_CERTIFICATE_REVOKED, "the broker refuses our certificate: it is revoked"},
    {SSL_AD_UNKNOWN_CA, "the broker refuses our certificate: of an unknown authority"},
    {SSL_AD_BAD_CERTIFICATE, "the broker refuses our certificate"},
    {SSL_AD_UNSUPPORTED_CERTIFICATE,
     "the broker refuses our certificate: it is not one for clients"},
    {SSL_AD_CERTIFICATE_UNKNOWN, "the broker refuses our certificate"},
    {SSL_AD_ACCESS_DENIED, "the broker refuses our certificate: no access"},
    {SSL_AD_PROTOCOL_VERSION, "the broker does not speak TLS 1.2 or newer"},
};

/* `value` of an alert: its level, then its number. Ours are known from elsewhere, but for one. */
static void hear_alert(const SSL *ssl, int where, int value)
{
    int alert = value & 0xff;
    bool is_theirs = (where & SSL_CB_READ_ALERT) == SSL_CB_READ_ALERT;
    if ((where & SSL_CB_ALERT) == 0 || value >> 8 != SSL3_AL_FATAL ||
        (!is_theirs && alert != SSL_AD_PROTOCOL_VERSION))
        return;
    for (size_t i = 0; i < countof(ALERTS); i++)
        if (ALERTS[i].alert == alert) {
            complain(tls_of(ssl), ALERTS[i].text);
            return;
        }
    char text[TLS_WHY_ROOM];
    snprintf(text, sizeof(text), "the broker ended the handshake: %s",
             SSL_alert_desc_string_long(value));
    complain(tls_of(ssl), text);
}

/* ---- The context */

static int refuse(char why[TLS_WHY_ROOM], const char *setting, const char *path,
                  const char *expected)
{
    unsigned long error = ERR_peek_error();
    const char *reason = ERR_reason_error_string(error);
    if (ERR_SYSTEM_ERROR(error))
        snprintf(why, TLS_WHY_ROOM, "%s: %.120s: %s", setting, path,
                 strerror(ERR_GET_REASON(error)));
    else
        snprintf(why, TLS_WHY_ROOM, "%s: %.120s: expected %s%s%s", setting, path,
                 expected, reason ? ": " : "", reason ? reason : "");
    ERR_clear_error();
    return -EINVAL;
}

static int no_passphrase(char *text, int room, int is_new, void *owner)
{
    (void)text;
    (void)room;
    (void)is_new;
    (void)owner;
    return 0; /* OpenSSL would ask for it on the terminal */
}

static int load_files(SSL_CTX *context, const struct tls_wish *wish,
                      char why[TLS_WHY_ROOM])
{
    SSL_CTX_set_default_passwd_cb(context, no_passphrase);
    if (wish->ca == NULL)
        SSL_CTX_set_default_verify_paths(context);
    else if (SSL_CTX_load_verify_file(context, wish->ca) != 1)
        return refuse(why, "ca", wish->ca, "certificates in PEM");
    if (wish->cert == NULL || wish->key == NULL)
        return 0;
    if (SSL_CTX_use_certificate_chain_file(context, wish->cert) != 1)
        return refuse(why, "cert", wish->cert, "a certificate in PEM");
    if (SSL_CTX_use_PrivateKey_file(context, wish->key, SSL_FILETYPE_PEM) != 1 ||
        SSL_CTX_check_private_key(context) != 1)
        return refuse(why, "key", wish->key,
                      "the key of cert, in PEM, without a passphrase");
    return 0;
}

static void expect_host(X509_VERIFY_PARAM *expected, const char *host)
{
    X509_VERIFY_PARAM_set_hostflags(expected, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    int done = broker_is_address(host) ? X509_VERIFY_PARAM_set1_ip_asc(expected, host)
                                       : X509_VERIFY_PARAM_set1_host(expected, host, 0);
    ASSERT(done == 1);
}

static void set_rules(struct tls *tls)
{
    X509_VERIFY_PARAM *expected = SSL_CTX_get0_param(tls->context);
    int done = SSL_CTX_set_min_proto_version(tls->context, TLS1_2_VERSION);
    ASSERT(done == 1);
    SSL_CTX_set_options(tls->context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
    SSL_CTX_set_mode(tls->context, SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_app_data(tls->context, tls);
    SSL_CTX_set_verify(tls->context, SSL_VERIFY_PEER, check_broker);
    SSL_CTX_set_info_callback(tls->context, hear_alert);
    expect_host(expected, tls->host);
    X509_VERIFY_PARAM_set_time(expected, (time_t)(tls->utc_us / 1000000));
}

int tls_open(struct tls **out, const struct tls_wish *wish, char why[TLS_WHY_ROOM])
{
    struct tls *tls = mem_new(struct tls);
    tls->utc_us = wish->utc_us;
    tls->is_least = wish->is_least;
    /* What stands behind "%" of an IPv6 address is our own interface. */
    snprintf(tls->host, sizeof(tls->host), "%.*s", (int)strcspn(wish->host, "%"),
             wish->host);
    ERR_clear_error();
    tls->context = SSL_CTX_new(TLS_client_method());
    ASSERT(tls->context != NULL);
    set_rules(tls);
    int err = load_files(tls->context, wish, why);
    if (err) {
        tls_close(tls);
        return err;
    }
    *out = tls;
    return 0;
}

void tls_close(struct tls *tls)
{
    if (tls == NULL)
        return;
    SSL_CTX_free(tls->context);
    mem_free(tls);
}

void *tls_context(struct tls *tls)
{
    return tls->context;
}

const char *tls_complaint(const struct tls *tls)
{
    return tls == NULL ? "" : tls->complaint;
}

void tls_forget_errors(void)
{
    ERR_clear_error();
}
