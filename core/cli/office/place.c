/* place - see place.h. */
#include "cli/office/place.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int place_beside(char path[PLACE_MAX], const char *relative)
{
    char self[PLACE_MAX];
    ssize_t length = readlink("/proc/self/exe", self, sizeof(self) - 1);
    if (length < 0)
        return -errno;
    self[length] = '\0';
    for (; strncmp(relative, "../", 3) == 0; relative += 3)
        *strrchr(self, '/') = '\0';
    *strrchr(self, '/') = '\0';
    length = snprintf(path, PLACE_MAX, "%s/%s", self, relative);
    return length < 0 || length >= PLACE_MAX ? -ENAMETOOLONG : 0;
}
