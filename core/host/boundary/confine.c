/* confine - see confine.h. */
#include "host/boundary/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/base.h"
#include "host/boundary/calls.h"

/* Newer than the headers of Debian 12. */
#ifndef LANDLOCK_ACCESS_FS_TRUNCATE
#define LANDLOCK_ACCESS_FS_TRUNCATE (1ULL << 14)
#endif
#ifndef LANDLOCK_ACCESS_FS_IOCTL_DEV
#define LANDLOCK_ACCESS_FS_IOCTL_DEV (1ULL << 15)
#endif

enum {
    LANDLOCK_TRUNCATE = 3, /* the version that brought it */
    LANDLOCK_NETWORK = 4,
    LANDLOCK_IOCTL = 5,
    LANDLOCK_SCOPE = 6,
    RULE_NET_PORT = 2,
    ACCESS_BIND = 1 << 0,
    ACCESS_CONNECT = 1 << 1,
    SCOPE_ABSTRACT = 1 << 0,
    SCOPE_SIGNAL = 1 << 1,
    MOST_FILES = 128, /* libmodbus waits with select(), which knows none from 1024 on */
    MOST_MEMORY = 128 * 1024 * 1024,
    PORT_NAMES = 53, /* a name server's long answers come over TCP */
    SOCKET_KIND = 0xf
};

/* As the kernel has it since 6.12; an older one takes the front of it. */
struct ruleset {
    uint64_t files;
    uint64_t network;
    uint64_t scopes;
};

struct port_rule {
    uint64_t access;
    uint64_t port;
};

static const uint64_t READS = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR;

/* What finds the address of a name. */
static const char RESOLV[] = "/etc/resolv.conf";
static const char *const RESOLVING[] = {RESOLV,           "/etc/hosts",
                                        "/etc/host.conf", "/etc/nsswitch.conf",
                                        "/etc/gai.conf",  "/etc/services"};

/* ---- Privileges and resource limits */

/* Whoever is root here stays an owner of root's files, and can listen below port 1024. */
static int drop_powers(void)
{
    struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct powers[2] = {{0}};
    if (syscall(SYS_capget, &head, powers) != 0)
        return -errno;
    powers[0].permitted &= 1U << CAP_NET_BIND_SERVICE;
    powers[1].permitted = 0;
    for (size_t i = 0; i < countof(powers); i++) {
        powers[i].effective = powers[i].permitted;
        powers[i].inheritable = 0;
    }
    return syscall(SYS_capset, &head, powers) == 0 ? 0 : -errno;
}

static int limit(int what, rlim_t most)
{
    struct rlimit limits = {most, most};
    return setrlimit((__rlimit_resource_t)what, &limits) == 0 ? 0 : -errno;
}

static int limit_all(void)
{
    int err = limit(RLIMIT_NOFILE, MOST_FILES);
    if (!err)
        err = limit(RLIMIT_CORE, 0); /* persons are in it */
    if (!err && !CONFINE_SANITIZED)
        err = limit(RLIMIT_DATA, MOST_MEMORY);
    if (!err && !CONFINE_SANITIZED)
        err = limit(RLIMIT_STACK, CALLS_STACK);
    if (!err)
        err = limit(RLIMIT_MEMLOCK, 0);
    return err ? err : limit(RLIMIT_MSGQUEUE, 0);
}

/* ---- Files and ports: Landlock */

static int landlock_version(void)
{
    long version =
        syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    return version > 0 ? (int)version : 0;
}

static uint64_t all_of_files(int version)
{
    uint64_t all = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1; /* of the first version */
    if (version > 1)
        all |= LANDLOCK_ACCESS_FS_REFER;
    if (version >= LANDLOCK_TRUNCATE)
        all |= LANDLOCK_ACCESS_FS_TRUNCATE;
    if (version >= LANDLOCK_IOCTL)
        all |= LANDLOCK_ACCESS_FS_IOCTL_DEV;
    return all;
}

struct rules {
    int fd;
    int version;
    bool trees;
};

/* By what it is that the name leads to; a folder gives nothing where only files are meant. */
static uint64_t access_of(const struct rules *rules, mode_t mode)
{
    uint64_t device = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE;
    if (rules->version >= LANDLOCK_IOCTL)
        device |= LANDLOCK_ACCESS_FS_IOCTL_DEV;
    return S_ISREG(mode)                   ? LANDLOCK_ACCESS_FS_READ_FILE
           : S_ISCHR(mode)                 ? device
           : S_ISDIR(mode) && rules->trees ? READS
                                           : 0;
}

static int allow_path(const struct rules *rules, const char *path, bool is_folder)
{
    struct landlock_path_beneath_attr rule = {0};
    struct stat found;
    rule.parent_fd = open(path, O_PATH | O_CLOEXEC);
    if (rule.parent_fd < 0)
        return 0; /* who cannot reach it will not read it either */
    int err = fstat(rule.parent_fd, &found) == 0 ? 0 : -errno;
    if (!err)
        rule.allowed_access = is_folder ? (S_ISDIR(found.st_mode) ? READS : 0)
                                        : access_of(rules, found.st_mode);
    if (rule.allowed_access != 0 && syscall(SYS_landlock_add_rule, rules->fd,
                                            LANDLOCK_RULE_PATH_BENEATH, &rule, 0) != 0)
        err = -errno;
    close(rule.parent_fd);
    return err;
}

static int allow_port(const struct rules *rules, uint16_t port, uint64_t access)
{
    struct port_rule rule = {access, port};
    if (rules->version < LANDLOCK_NETWORK)
        return 0;
    long done = syscall(SYS_landlock_add_rule, rules->fd, RULE_NET_PORT, &rule, 0);
    return done == 0 ? 0 : -errno;
}

/* What a service writes under /run is a new file each time: its folder, which has nothing else. */
static int allow_resolving(const struct rules *rules)
{
    char real[PATH_MAX];
    int err = allow_port(rules, PORT_NAMES, ACCESS_CONNECT);
    for (size_t i = 0; i < countof(RESOLVING) && !err; i++)
        err = allow_path(rules, RESOLVING[i], false);
    if (err || realpath(RESOLV, real) == NULL || strncmp(real, "/run/", 5) != 0)
        return err;
    *strrchr(real, '/') = '\0';
    return strcmp(real, "/run") == 0 ? 0 : allow_path(rules, real, true);
}

static int allow_range(const struct rules *rules, const struct confine_range *range)
{
    int err = 0;
    for (unsigned int port = range->from; port <= range->until && !err; port++)
        err = allow_port(rules, (uint16_t)port,
                         range->listens ? ACCESS_BIND : ACCESS_CONNECT);
    return err;
}

static int allow_all(const struct rules *rules, const struct confine_wish *wish)
{
    int err = wish->resolves ? allow_resolving(rules) : 0;
    for (int i = 0; i < CONFINE_PATHS_MAX && wish->folders[i] != NULL && !err; i++)
        err = allow_path(rules, wish->folders[i], true);
    for (int i = 0; i < CONFINE_PATHS_MAX && wish->paths[i] != NULL && !err; i++)
        err = allow_path(rules, wish->paths[i], false);
    for (int i = 0; i < CONFINE_PORTS_MAX && wish->ports[i] != 0 && !err; i++)
        err = allow_port(rules, wish->ports[i], ACCESS_BIND | ACCESS_CONNECT);
    for (int i = 0; i < CONFINE_RANGES_MAX && wish->ranges[i].from != 0 && !err; i++)
        err = allow_range(rules, &wish->ranges[i]);
    return err;
}

static int lock_files(int version, const struct confine_wish *wish)
{
    struct ruleset set = {all_of_files(version), ACCESS_BIND | ACCESS_CONNECT,
                          SCOPE_ABSTRACT | SCOPE_SIGNAL};
    struct rules rules = {.version = version, .trees = wish->trees};
    size_t length = version >= LANDLOCK_SCOPE     ? sizeof(set)
                    : version >= LANDLOCK_NETWORK ? 2 * sizeof(uint64_t)
                                                  : sizeof(uint64_t);
    rules.fd = (int)syscall(SYS_landlock_create_ruleset, &set, length, 0);
    if (rules.fd < 0)
        return -errno;
    int err = allow_all(&rules, wish);
    if (!err && syscall(SYS_landlock_restrict_self, rules.fd, 0) != 0)
        err = -errno;
    close(rules.fd);
    return err;
}

int confine(struct confine *confine, const struct confine_wish *wish)
{
    *confine = (struct confine){.landlock = landlock_version()};
    int err = drop_powers();
    if (err)
        return err;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_SET_DUMPABLE, 0) != 0)
        return -errno;
    err = limit_all();
    if (!err && confine->landlock > 0)
        err = lock_files(confine->landlock, wish);
    return err ? err : calls_lock(wish);
}
