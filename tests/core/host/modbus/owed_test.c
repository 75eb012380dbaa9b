/* Late answers, against a device that answers in order and an adversary who chooses what is lost. */
#include "host/modbus/owed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/base.h"

static struct pdu read_of(int count)
{
    struct pdu pdu;
    assert_int_equal(pdu_read(&pdu, PDU_READ_HOLDING, 100, count), 0);
    return pdu;
}

static void only_the_same_unit_function_and_length_confuse(void **state)
{
    struct owed owed = {0};
    struct pdu four = read_of(4), five = read_of(5), input;
    (void)state;
    assert_int_equal(pdu_read(&input, PDU_READ_INPUT, 100, 4), 0);
    owed_add(&owed, 1, &four);
    assert_true(owed_confuses(&owed, 1, &four));
    assert_false(owed_confuses(&owed, 2, &four));
    assert_false(owed_confuses(&owed, 1, &five));
    assert_false(owed_confuses(&owed, 1, &input));
}

static void an_echo_never_confuses(void **state)
{
    struct owed owed = {0};
    struct pdu write;
    (void)state;
    assert_int_equal(pdu_write_register(&write, 1, 2), 0);
    owed_add(&owed, 1, &write);
    assert_true(owed_is_empty(&owed));
}

static void a_dead_device_keeps_the_list_short(void **state)
{
    struct owed owed = {0};
    struct pdu four = read_of(4), probe;
    (void)state;
    owed_add(&owed, 1, &four);
    for (int i = 0; i < 1000; i++) {
        assert_true(owed_probe(&owed, 1, &four, &probe));
        owed_add(&owed, 1, &probe);
    }
    assert_int_equal(owed.count, 2);
}

static void the_list_is_bounded(void **state)
{
    struct owed owed = {0};
    (void)state;
    for (int i = 1; i <= 120; i++) {
        struct pdu pdu = read_of(i);
        owed_add(&owed, 1, &pdu);
    }
    assert_int_equal(owed.count, OWED_MAX);
}

/* ---- The device: what it was asked, in order; each answer comes in time, late, or never. */

struct device {
    struct {
        struct pdu request;
        int number;
    } line[512];
    int count;
};

static bool passes_for(const struct pdu *answer, const struct pdu *request)
{
    return answer->bytes[0] == request->bytes[0] &&
           pdu_value_bytes(answer) == pdu_value_bytes(request);
}

/* Asks, and looks at what comes in time: the number of the request whose answer is taken, or -1.
 * The adversary holds answers back, drops some, and lets the first few of the rest come. */
static int exchange(struct device *device, struct owed *owed, const struct pdu *request,
                    int number)
{
    ASSERT(device->count < (int)countof(device->line));
    device->line[device->count].request = *request;
    device->line[device->count++].number = number;
    int come = rand() % 2 ? device->count : rand() % (device->count + 1);
    int taken = -1, used = 0;
    while (used < come && taken < 0) {
        bool lost = rand() % 8 == 0;
        if (!lost && passes_for(&device->line[used].request, request))
            taken = device->line[used].number;
        used++;
    }
    device->count -= used;
    memmove(device->line, device->line + used,
            sizeof(device->line[0]) * (size_t)device->count);
    if (taken < 0)
        owed_add(owed, 1, request);
    return taken;
}

static void no_answer_is_taken_for_another(void **state)
{
    (void)state;
    srand(7);
    for (int round = 0; round < 300; round++) {
        struct device device = {0};
        struct owed owed = {0};
        for (int number = 1; number < 200 && device.count < 400; number++) {
            struct pdu request = read_of(1 + rand() % 4), probe;
            if (owed_confuses(&owed, 1, &request)) {
                assert_true(owed_probe(&owed, 1, &request, &probe));
                if (exchange(&device, &owed, &probe, 0) < 0)
                    continue;
                owed_settle(&owed, 1, &probe);
            }
            int taken = exchange(&device, &owed, &request, number);
            assert_true(taken == -1 || taken == number);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_the_same_unit_function_and_length_confuse),
        cmocka_unit_test(an_echo_never_confuses),
        cmocka_unit_test(a_dead_device_keeps_the_list_short),
        cmocka_unit_test(the_list_is_bounded),
        cmocka_unit_test(no_answer_is_taken_for_another),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
