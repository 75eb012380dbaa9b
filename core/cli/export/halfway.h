/* halfway - the folder of an export until it is whole: beside its name, with ".part" behind it.
 *
 * It is locked as long as it is being made. What an export that was killed has left there is taken away
 * by the next one to the same place; anything else is somebody's, and stays. Calls return 0, or
 * -ECANCELED once what is wrong has been said on standard error. */
#ifndef CLI_EXPORT_HALFWAY_H
#define CLI_EXPORT_HALFWAY_H

enum { HALFWAY_PATH_MAX = 4096 };

struct halfway {
    char path[HALFWAY_PATH_MAX];
    int lock; /* -1: it is not ours, or finished */
};

/* Makes it, empty, for an export to `folder`, which must not be there. */
int halfway_open(struct halfway *halfway, const char *folder);
/* It is whole, and durably has its name. */
int halfway_finish(struct halfway *halfway, const char *folder);
/* One that is not whole goes. Fine when it was not opened, or is finished. */
void halfway_close(struct halfway *halfway);

#endif
