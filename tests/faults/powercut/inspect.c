/* inspect - see inspect.h. */
#include "inspect.h"

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>

#include "base/base.h"
#include "office.h"
#include "trace.h"

enum { BURST = 64 };

static const char *const UNWANTED[] = {"journal-damaged"};

static int set_aside;

static int look_at_name(const char *path, const struct stat *file, int type,
                        struct FTW *place)
{
    (void)file;
    (void)type;
    for (size_t i = 0; i < countof(UNWANTED); i++)
        set_aside += strncmp(path + place->base, UNWANTED[i], strlen(UNWANTED[i])) == 0;
    return 0;
}

/* Nothing that was only not written yet is damage. */
static bool was_set_aside(const char *folder)
{
    set_aside = 0;
    nftw(folder, look_at_name, 16, FTW_PHYS);
    return set_aside > 0;
}

/* It commits, signs and seals as before. */
static const char *go_on(struct office *office, uint64_t *random)
{
    struct journal *journal = office->keeper.journal;
    int missing = TILE_WIDTH - (int)(journal->size % TILE_WIDTH);
    int64_t sealed = (int64_t)journal->sealed.size;
    office_say(office, 1, random);
    if (!office_hear(office))
        return "it does not commit any more";
    for (; missing > 0; missing -= BURST)
        office_say(office, BURST, random);
    if (!office_hear(office))
        return "it does not commit as before";
    office_pass(office, 5000);
    if ((int64_t)journal->sealed.size <= sealed)
        return "it does not seal any more";
    office_pass(office, 61 * 1000);
    return office->keeper.upkeep.size == (uint64_t)journal->size
               ? NULL
               : "it does not sign any more";
}

static const char *check(struct office *office, const char *folder,
                         const struct ledger *ledger, int marks, struct found *found)
{
    static char why[80];
    int err = office_open(office, folder, NULL);
    if (err) {
        snprintf(why, sizeof(why), "cannot be opened: %s", strerror(-err));
        return why;
    }
    const char *wrong = ledger_check(ledger, office->keeper.journal, marks, found);
    return wrong == NULL && was_set_aside(folder) ? "it was taken for damaged" : wrong;
}

const char *inspect_folder(const char *folder, uint64_t seed, const struct ledger *ledger,
                           int marks, bool goes_on)
{
    static struct office office;
    uint64_t random = seed;
    struct found found = {0};
    trace_be_repeatable(seed);
    const char *wrong = check(&office, folder, ledger, marks, &found);
    if (wrong || !goes_on) {
        office_close(&office);
        return wrong;
    }
    office.number = found.number;
    wrong = go_on(&office, &random);
    office_stop(&office);
    if (wrong)
        return wrong;
    wrong = check(&office, folder, ledger, marks, NULL);
    office_close(&office);
    return wrong;
}
