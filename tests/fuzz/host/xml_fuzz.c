/* Any bytes as a document: what is read opens and closes in pairs and is within the bounds. */
#include "host/module/xml.h"

#include <stdint.h>

#include "base/base.h"
#include "base/strict.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void check_text(const struct xml_token *token)
{
    const unsigned char *at = (const unsigned char *)token->bytes;
    for (size_t i = 0; i < token->length;) {
        size_t step = strict_sequence(at + i, token->length - i);
        ASSERT(step > 0);
        i += step;
    }
}

static void check(const struct buffer *tokens)
{
    struct xml_token token;
    int depth = 0, elements = 0;
    enum xml_kind before = XML_CLOSE;
    for (size_t at = 0; xml_next(tokens, &at, &token); before = token.kind) {
        ASSERT(token.kind <= XML_CLOSE && at <= tokens->length);
        ASSERT((before == XML_NAME) == (token.kind == XML_VALUE));
        check_text(&token);
        if (token.kind == XML_OPEN)
            elements++;
        depth += token.kind == XML_OPEN ? 1 : token.kind == XML_CLOSE ? -1 : 0;
        ASSERT(depth >= 0 && depth <= XML_DEPTH_MAX);
    }
    ASSERT(depth == 0 && elements > 0 && elements <= XML_ELEMENTS_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct buffer text = {0}, tokens = {0};
    char why[XML_WHY_ROOM];
    size_t replaced;
    int err = xml_open();
    ASSERT(err == 0);
    if (xml_decode(&text, NULL, bytes, length, &replaced, why) == 0 && text.length > 0 &&
        xml_read(&tokens, text.bytes, text.length, why) == 0)
        check(&tokens);
    buffer_free(&text);
    buffer_free(&tokens);
    return 0;
}
