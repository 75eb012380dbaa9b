/* transfer_fault - what can go wrong between a plugin and a server, of the web or of files. */
#ifndef HOST_WEB_TRANSFER_FAULT_H
#define HOST_WEB_TRANSFER_FAULT_H

enum transfer_fault {
    TRANSFER_GOOD,
    TRANSFER_ARGUMENT, /* the URL makes no sense */
    TRANSFER_TIMEOUT,
    TRANSFER_RESOLVE,
    TRANSFER_REFUSED,
    TRANSFER_CLOSED,
    TRANSFER_TLS,
    TRANSFER_TOO_BIG,
    TRANSFER_AUTH,
    TRANSFER_PROTOCOL, /* what came is not what the protocol says, or the library failed */
    TRANSFER_MISSING,  /* files: there is none of that name, or not for this login */
    TRANSFER_DENIED    /* files: the server says no */
};

/* "timeout", "resolve", ...; and words for it. */
const char *transfer_fault_name(enum transfer_fault fault);
const char *transfer_fault_text(enum transfer_fault fault);

#endif
