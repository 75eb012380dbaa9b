/* word - see word.h. */
#include "base/word.h"

#include <stddef.h>
#include <string.h>

static bool is_one_of(char c, const char *more)
{
    bool alphanumeric = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    return alphanumeric || (c != '\0' && strchr(more, c) != NULL);
}

static bool is_id_letter(char c)
{
    return is_one_of(c, "._:-") || (c >= 'A' && c <= 'Z');
}

static size_t id_length(const char *text)
{
    size_t length = 0;
    while (is_id_letter(text[length]))
        length++;
    return length > WORD_ID_MAX || text[0] == '.' ? 0 : length;
}

bool word_is_id(const char *text)
{
    size_t length = id_length(text);
    return length > 0 && text[length] == '\0';
}

bool word_is_type(const char *text)
{
    size_t length = strlen(text);
    if (length == 0 || length > WORD_TYPE_MAX || strchr(text, '.') == NULL)
        return false;
    for (size_t i = 0; i < length; i++) {
        bool dot = text[i] == '.';
        if (!dot && !is_one_of(text[i], "_"))
            return false;
        if (dot && (i == 0 || text[i - 1] == '.' || i + 1 == length))
            return false;
    }
    return true;
}

bool word_is_subject(const char *text)
{
    if (strcmp(text, "office") == 0)
        return true;
    if (strlen(text) > WORD_SUBJECT_MAX)
        return false;
    int parts = 0;
    for (;;) {
        size_t length = id_length(text);
        if (length == 0 || ++parts > 3)
            return false;
        if (text[length] == '\0')
            return parts > 1;
        if (text[length] != '/')
            return false;
        text += length + 1;
    }
}

bool word_matches(const char *pattern, const char *type)
{
    size_t length = strlen(pattern);
    if (length > 0 && pattern[length - 1] == '*')
        return strncmp(pattern, type, length - 1) == 0;
    return strcmp(pattern, type) == 0;
}

bool word_is_pattern(const char *text)
{
    size_t length = strlen(text);
    if (strcmp(text, "*") == 0 || word_is_type(text))
        return true;
    if (length < 3 || length > WORD_TYPE_MAX || strcmp(text + length - 2, ".*") != 0)
        return false;
    for (size_t i = 0; i < length - 2; i++)
        if (!is_one_of(text[i], "_."))
            return false;
    return text[0] != '.';
}
