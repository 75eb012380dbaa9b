/* table - see table.h. */
#include "cli/office/table.h"

#include <stdbool.h>
#include <string.h>

#include "base/base.h"

struct column {
    const char *name;
    int width;
};

struct columns {
    struct column column[TABLE_COLUMNS_MAX];
    int count;
    bool too_many;
};

/* ---- Letters */

/* Takes one letter; its code point. */
static uint32_t take_letter(const unsigned char **at)
{
    static const unsigned char BITS[] = {0x7f, 0, 0x1f, 0x0f, 0x07};
    unsigned char lead = *(*at)++;
    int more = lead < 0xc0 ? 0 : lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : 3;
    uint32_t letter = lead & BITS[more ? more + 1 : 0];
    for (; more > 0 && (**at & 0xc0) == 0x80; more--)
        letter = letter << 6 | (*(*at)++ & 0x3f);
    return letter;
}

static bool is_wide(uint32_t letter)
{
    static const uint32_t RANGES[][2] = {
        {0x1100, 0x115f}, {0x2e80, 0xa4cf},   {0xac00, 0xd7a3},
        {0xf900, 0xfaff}, {0xfe30, 0xfe6f},   {0xff00, 0xff60},
        {0xffe0, 0xffe6}, {0x1f300, 0x1faff}, {0x20000, 0x3fffd}};
    for (size_t i = 0; i < countof(RANGES); i++)
        if (letter >= RANGES[i][0] && letter <= RANGES[i][1])
            return true;
    return false;
}

static int width_of(const char *text)
{
    int width = 0;
    for (const unsigned char *at = (const unsigned char *)text; *at != '\0';)
        width += is_wide(take_letter(&at)) ? 2 : 1;
    return width;
}

void table_put_text(struct buffer *out, const char *text)
{
    for (const unsigned char *at = (const unsigned char *)text; *at != '\0';) {
        const unsigned char *begin = at;
        uint32_t letter = take_letter(&at);
        bool is_control = letter < 0x20 || (letter >= 0x7f && letter < 0xa0);
        if (is_control)
            buffer_append_text(out, "?");
        else
            buffer_append(out, begin, (size_t)(at - begin));
    }
}

/* ---- Cells */

static bool is_null(const struct json *item)
{
    struct buffer text = {0};
    json_print(&text, item);
    bool is = strcmp(buffer_text(&text), "null") == 0;
    buffer_free(&text);
    return is;
}

/* What stands in a cell; NULL: nothing. */
static void put_cell(struct buffer *out, const struct json *item)
{
    struct buffer text = {0};
    if (item == NULL || is_null(item))
        return;
    if (json_value(item) != NULL)
        buffer_append_text(&text, json_value(item));
    else
        json_print(&text, item);
    table_put_text(out, buffer_text(&text));
    buffer_free(&text);
}

static void put_blanks(struct buffer *out, int count)
{
    for (int i = 0; i < count; i++)
        buffer_append_text(out, " ");
}

/* ---- Columns */

static void see(struct columns *columns, const char *name)
{
    int at = 0;
    while (at < columns->count && strcmp(columns->column[at].name, name) < 0)
        at++;
    if (at < columns->count && strcmp(columns->column[at].name, name) == 0)
        return;
    if (columns->count == TABLE_COLUMNS_MAX) {
        columns->too_many = true;
        return;
    }
    memmove(&columns->column[at + 1], &columns->column[at],
            (size_t)(columns->count - at) * sizeof(columns->column[0]));
    columns->column[at] = (struct column){name, width_of(name)};
    columns->count++;
}

static void see_row(struct columns *columns, const struct json *row)
{
    for (const struct json *item = json_first(row); item; item = json_next(item))
        see(columns, json_name(item));
}

static void widen(struct columns *columns, const struct json *row)
{
    for (int i = 0; i < columns->count; i++) {
        struct buffer cell = {0};
        put_cell(&cell, json_get(row, columns->column[i].name));
        int width = width_of(buffer_text(&cell));
        if (width > columns->column[i].width)
            columns->column[i].width = width;
        buffer_free(&cell);
    }
}

static void put_column(struct buffer *out, const struct columns *columns, int at,
                       struct buffer *cell)
{
    const char *text = buffer_text(cell);
    buffer_append_text(out, text);
    if (at + 1 < columns->count)
        put_blanks(out, columns->column[at].width - width_of(text) + 2);
    buffer_clear(cell);
}

/* Without the blanks at its end. */
static void end_line(struct buffer *out)
{
    while (out->length > 0 && out->bytes[out->length - 1] == ' ')
        out->length--;
    buffer_append_text(out, "\n");
}

static void print_rows(struct buffer *out, const struct columns *columns,
                       const struct json *rows)
{
    struct buffer cell = {0};
    for (int i = 0; i < columns->count; i++) {
        table_put_text(&cell, columns->column[i].name);
        put_column(out, columns, i, &cell);
    }
    end_line(out);
    for (const struct json *row = json_first(rows); row; row = json_next(row)) {
        for (int i = 0; i < columns->count; i++) {
            put_cell(&cell, json_get(row, columns->column[i].name));
            put_column(out, columns, i, &cell);
        }
        end_line(out);
    }
    buffer_free(&cell);
}

/* ---- Values */

static void print_line(struct buffer *out, const struct json *value)
{
    put_cell(out, value);
    buffer_append_text(out, "\n");
}

static void print_array(struct buffer *out, const struct json *rows)
{
    struct columns columns = {.count = 0};
    bool fits = true;
    for (const struct json *row = json_first(rows); row; row = json_next(row)) {
        fits = fits && json_is_object(row);
        see_row(&columns, json_is_object(row) ? row : NULL);
    }
    for (const struct json *row = json_first(rows); row && fits; row = json_next(row))
        widen(&columns, row);
    if (fits && !columns.too_many)
        print_rows(out, &columns, rows);
    else
        for (const struct json *row = json_first(rows); row; row = json_next(row))
            print_line(out, row);
}

static void print_object(struct buffer *out, const struct json *object)
{
    struct columns columns = {.count = 0};
    int widest = 0;
    see_row(&columns, object);
    if (columns.too_many) {
        print_line(out, object);
        return;
    }
    for (int i = 0; i < columns.count; i++)
        if (columns.column[i].width > widest)
            widest = columns.column[i].width;
    for (int i = 0; i < columns.count; i++) {
        table_put_text(out, columns.column[i].name);
        put_blanks(out, widest - columns.column[i].width + 2);
        put_cell(out, json_get(object, columns.column[i].name));
        end_line(out);
    }
}

void table_print(struct buffer *out, const struct json *value)
{
    if (json_is_object(value))
        print_object(out, value);
    else if (json_is_array(value))
        print_array(out, value);
    else
        print_line(out, value);
}
