/* What is strict is what the parser reads, and the other way round; what begins and ends with a brace
 * is an object. */
#include "base/strict.h"

#include <stdint.h>

#include "base/base.h"
#include "base/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct json *json = NULL;
    struct buffer out = {0};
    bool is_read = json_parse(&json, bytes, length) == 0;
    ASSERT(is_read == strict_is_json(bytes, length, STRICT_DEPTH_MAX));
    ASSERT(strict_is_object(bytes, length, STRICT_DEPTH_MAX) ==
           (is_read && json_is_object(json)));
    if (!is_read)
        return 0;
    json_print(&out, json);
    ASSERT(strict_is_json(out.bytes, out.length, STRICT_DEPTH_MAX));
    json_free(json);
    buffer_free(&out);
    return 0;
}
