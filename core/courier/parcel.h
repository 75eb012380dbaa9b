/* parcel - one file that shall go to the city: what the keeper says of it, what is durably noted of
 * its upload, and the texts that are made of them. Pure. */
#ifndef COURIER_PARCEL_H
#define COURIER_PARCEL_H

#include <stdint.h>

#include "base/buffer.h"
#include "courier/settings.h"
#include "courier/tus.h"
#include "wire/frame.h"
#include "wire/talk.h"

enum { PARCEL_CLASS_ROOM = 16 };

struct parcel {
    char sha256[TALK_DIGEST_HEX + 1];
    char sm3[TALK_DIGEST_HEX + 1];
    char class[PARCEL_CLASS_ROOM];
    int64_t size;
    int64_t seq;
    struct tus tus;
    int64_t due_ms;          /* monotonic: not before */
    int64_t leave_ms;        /* the keeper is to be told to set it aside so long; 0 not */
    char told[TUS_WHY_ROOM]; /* the last trouble that was logged */
};

/* An ENTRY of PARCELS; its upload is where the note says. 0 or -EPROTO. */
int parcel_read(struct parcel *parcel, const struct field *entry);

/* VALUE of NOTE: "begun URL" or "sent URL"; "begun " when there is no upload. */
void parcel_print_note(const struct parcel *parcel, struct buffer *out);

/* "Upload-Metadata: office MzUw...,log ..." */
void parcel_print_metadata(const struct parcel *parcel, const struct settings *settings,
                           struct buffer *out);

/* Where its receipt is: RECEIPTS/OFFICE/SHA256. */
void parcel_print_receipt_url(const struct parcel *parcel,
                              const struct settings *settings, struct buffer *out);

#endif
