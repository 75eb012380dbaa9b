/* What comes back from a name server: the input answers a fixed question. */
#include "host/lines/dns.h"

#include <errno.h>
#include <string.h>

#include "base/base.h"
#include "base/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void read_as(enum dns_type type, const uint8_t *bytes, size_t length)
{
    struct dns_question question;
    struct address found[4];
    int err = dns_ask(&question, 0x1234, type, "box.example");
    ASSERT(err == 0);
    uint8_t *answer = mem_zeroed(question.length + length + 1);
    memcpy(answer, question.bytes, question.length);
    memcpy(answer + question.length, bytes, length);
    if (length > 3) { /* the head's flags and counts are the input's too */
        answer[2] = bytes[0] | 0x80;
        answer[3] = bytes[1];
        answer[6] = bytes[2];
        answer[7] = bytes[3];
    }
    int count = dns_read(&question, answer, question.length + length, found, 4, 1);
    ASSERT(count <= 4);
    for (int i = 0; i < count; i++) {
        char text[ADDRESS_ROOM];
        address_print(&found[i], text);
    }
    count = dns_read(&question, bytes, length, found, 4, 1);
    ASSERT(count <= 4);
    mem_free(answer);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    read_as(DNS_A, bytes, length);
    read_as(DNS_AAAA, bytes, length);
    return 0;
}
