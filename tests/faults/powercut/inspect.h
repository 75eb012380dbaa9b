/* inspect - opens a state folder with the real keeper and looks whether it is as it must be. */
#ifndef TESTS_FAULTS_POWERCUT_INSPECT_H
#define TESTS_FAULTS_POWERCUT_INSPECT_H

#include "ledger.h"

/* Reads all that is there against the ledger, the first `marks` transactions having been told done, and
 * whether anything was taken for damaged. With `goes_on` it commits, seals and signs as well, ends in
 * good order and is read again. NULL, or what is wrong; "lost ..." when something is missing. */
const char *inspect_folder(const char *folder, uint64_t seed, const struct ledger *ledger,
                           int marks, bool goes_on);

#endif
