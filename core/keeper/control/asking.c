/* asking - see asking.h.
 *
 * Invariant: a question waits for its host, with its deadline running, or (an action) for the group
 * that holds its event, with its answer ready. */
#include "keeper/control/asking.h"

#include <errno.h>
#include <string.h>

#include "base/base.h"
#include "keeper/children/children.h"
#include "keeper/self.h"

/* What was asked for, before it is known whether it may be. */
struct ask {
    char instance[WORD_ID_MAX + 1];
    char name[ASKING_NAME_MAX + 1]; /* empty: which there are */
    bool is_action;
    struct field params;
};

/* ---- Answers */

static void compose(struct buffer *out, uint32_t id, int err, const char *text,
                    const struct field *result)
{
    char why[TALK_WHY_MAX + 1] = "";
    strncat(why, text, TALK_WHY_MAX);
    frame_begin(out, TALK_ANSWER, id);
    frame_put_number(out, TAG_ERROR, -err);
    if (err)
        frame_put_text(out, TAG_TEXT, why);
    else if (result != NULL)
        frame_put(out, TAG_DATA, result->bytes, result->length);
}

/* Answers what takes no place; `why` is given back. */
static void refuse(struct peer *asker, uint32_t id, int err, struct buffer *why)
{
    struct buffer out = {0};
    compose(&out, id, err, buffer_text(why), NULL);
    peer_send(asker, &out);
    buffer_free(&out);
    buffer_free(why);
}

static void leave(struct asking_question *question)
{
    loop_timer_stop(&question->deadline);
    buffer_free(&question->answer);
    *question = (struct asking_question){.asking = NULL};
}

static void send_answer(struct asking_question *question)
{
    if (question->asker != NULL)
        peer_send(question->asker, &question->answer);
    leave(question);
}

/* ---- The event */

/* It was never begun: who asked may ask again. */
static bool is_refusal(int err)
{
    return err == -EPERM || err == -EBUSY || err == -EAGAIN || err == -EINVAL;
}

static void print_event(const struct asking_question *question, int err,
                        struct buffer *out)
{
    const char *role = access_role_name(question->role);
    const char *code = err ? strerrorname_np(-err) : NULL;
    buffer_append_text(out, "{\"instance\":");
    json_put_text(out, question->instance);
    buffer_append_text(out, ",\"action\":");
    json_put_text(out, question->name);
    buffer_append_text(out, ",\"who\":{\"name\":");
    json_put_text(out, question->who.name);
    if (role != NULL)
        buffer_printf(out, ",\"role\":\"%s\"", role);
    buffer_printf(out, ",\"via\":\"%s\"},\"outcome\":\"%s\"", question->who.via,
                  err == 0          ? "done"
                  : is_refusal(err) ? "refused"
                                    : "failed");
    if (err)
        buffer_printf(out, ",\"error\":\"%s\"", code != NULL ? code : "EIO");
    buffer_append_text(out, "}");
}

static void not_recorded(struct asking_question *question, int err)
{
    struct buffer why = {0};
    buffer_printf(&why,
                  "%s of %s: what became of it could not be recorded (%s); ask how it is",
                  question->name, question->instance, strerror(-err));
    buffer_clear(&question->answer);
    compose(&question->answer, question->asker_id, -EIO, buffer_text(&why), NULL);
    buffer_free(&why);
    send_answer(question);
}

/* The question is over: its host is not waited for any more. */
static void finish(struct asking_question *question, int err, const char *text,
                   const struct field *result)
{
    struct buffer event = {0};
    loop_timer_stop(&question->deadline);
    question->host = NULL;
    compose(&question->answer, question->asker_id, err, text, result);
    if (!question->is_action || question->asking->is_over) {
        send_answer(question);
        return;
    }
    print_event(question, err, &event);
    err = self_record(question->asking->group, "action.performed", buffer_text(&event));
    buffer_free(&event);
    if (err && question->asking != NULL)
        not_recorded(question, err);
}

void asking_committed(struct asking *asking, int err)
{
    for (int i = 0; i < ASKING_MAX; i++) {
        struct asking_question *question = &asking->questions[i];
        if (question->asking == NULL || question->host != NULL)
            continue;
        if (err)
            not_recorded(question, err);
        else
            send_answer(question);
    }
}

/* ---- Which there are, and who may */

static const char *kind(bool is_action)
{
    return is_action ? "action" : "view";
}

static const struct json *declared_by(const struct config_plugin *plugin, bool is_action)
{
    return json_get(plugin->json, is_action ? "actions" : "views");
}

static struct peer *host_of(const struct asking *asking, const char *instance)
{
    for (struct peer *peer = asking->children->peers; peer != NULL; peer = peer->next)
        if (peer->role == PEER_HOST && peer->is_ready && !peer->is_ended &&
            strcmp(peer->plugin->instance, instance) == 0)
            return peer;
    return NULL;
}

/* As the one that runs declares it; else as the configuration has it. */
static const struct config_plugin *plugin_of(const struct asking *asking,
                                             const char *instance)
{
    const struct peer *host = host_of(asking, instance);
    if (host != NULL)
        return host->plugin;
    for (size_t i = 0; i < asking->config->plugin_count; i++)
        if (strcmp(asking->config->plugins[i].instance, instance) == 0)
            return &asking->config->plugins[i];
    return NULL;
}

static int roles_of(const struct json *declared)
{
    int roles = 0;
    const struct json *list = json_get(declared, "roles");
    for (const struct json *item = json_first(list); item; item = json_next(item))
        roles |= json_value(item) != NULL ? access_role(json_value(item)) : 0;
    return roles;
}

/* The first of the roles that fit, in the order of the declaration. */
static int role_for(const struct json *declared, int has)
{
    const struct json *list = json_get(declared, "roles");
    for (const struct json *item = json_first(list); item; item = json_next(item)) {
        int role = json_value(item) != NULL ? access_role(json_value(item)) : 0;
        if (role & has)
            return role;
    }
    return 0;
}

static void print_names(struct buffer *out, const struct json *declared)
{
    for (const struct json *item = json_first(declared); item; item = json_next(item))
        buffer_printf(out, "%s%s", item == json_first(declared) ? "; it has " : ", ",
                      json_name(item));
}

static void print_wrong_role(struct buffer *why, const struct ask *ask,
                             const struct json *declared, const struct access_who *who)
{
    buffer_printf(why, "%s of %s: expected to be asked for by ", ask->name,
                  ask->instance);
    access_print_roles(why, roles_of(declared));
    buffer_printf(why, ", and %s is ", who->name);
    if (who->roles)
        access_print_roles(why, who->roles);
    else
        buffer_append_text(why, "none of those whom the block access names");
}

/* Answers with all that the instance declares of that kind. */
static void list(struct peer *asker, uint32_t id, const struct json *declared)
{
    struct buffer text = {0}, out = {0};
    if (declared != NULL)
        json_print(&text, declared);
    else
        buffer_append_text(&text, "{}");
    struct field result = {.bytes = (uint8_t *)text.bytes, .length = text.length};
    bool fits = text.length <= TALK_ANSWER_MAX;
    compose(&out, id, fits ? 0 : -EMSGSIZE, "more than one answer holds", &result);
    peer_send(asker, &out);
    buffer_free(&text);
    buffer_free(&out);
}

/* ---- Questions */

static void too_late(struct loop_timer *timer)
{
    struct asking_question *question =
        container_of(timer, struct asking_question, deadline);
    finish(question, -ETIMEDOUT,
           "no answer in time; whether it was done, or still will be, is not known",
           NULL);
}

static struct asking_question *take_place(struct asking *asking)
{
    for (int i = 0; i < ASKING_MAX; i++)
        if (asking->questions[i].asking == NULL)
            return &asking->questions[i];
    return NULL;
}

static void ask_host(struct asking_question *question, struct peer *host,
                     const struct ask *ask)
{
    struct buffer out = {0}, who = {0};
    struct asking *asking = question->asking;
    if (++asking->last_id == 0)
        asking->last_id = 1;
    question->id = asking->last_id;
    question->host = host;
    loop_timer_start(asking->loop, &question->deadline, ASKING_DEADLINE_MS);
    buffer_append_text(&who, "{\"name\":");
    json_put_text(&who, question->who.name);
    buffer_printf(&who, ",\"role\":\"%s\",\"via\":\"%s\"}",
                  access_role_name(question->role), question->who.via);
    frame_begin(&out, TALK_ASK, question->id);
    frame_put_text(&out, TAG_NAME, question->instance);
    frame_put_text(&out, TAG_TYPE, kind(question->is_action));
    frame_put_text(&out, TAG_KEY, question->name);
    frame_put(&out, TAG_DATA, ask->params.bytes, ask->params.length);
    frame_put(&out, TAG_TEXT, who.bytes, who.length);
    peer_send(host, &out);
    buffer_free(&who);
    buffer_free(&out);
}

/* Answers the question, or hands it on. */
static void judge(struct asking_question *question, const struct ask *ask,
                  const struct json *declared)
{
    struct buffer why = {0};
    struct json *params = NULL;
    struct peer *host = host_of(question->asking, ask->instance);
    int err = 0;
    if (question->role == 0) {
        err = -EPERM;
        print_wrong_role(&why, ask, declared, &question->who);
    } else if (json_parse(&params, ask->params.bytes, ask->params.length) != 0 ||
               !json_is_object(params)) {
        err = -EINVAL;
        buffer_printf(&why, "%s of %s: params: expected a JSON object", ask->name,
                      ask->instance);
    } else if (host == NULL) {
        err = -EAGAIN;
        buffer_printf(&why, "%s does not run now; outpost status says more",
                      ask->instance);
    }
    json_free(params);
    if (err)
        finish(question, err, buffer_text(&why), NULL);
    else
        ask_host(question, host, ask);
    buffer_free(&why);
}

/* All places are taken: what is said of it does not wait, and takes none. */
static void turn_away(struct asking_question *question)
{
    struct buffer why = {0}, event = {0};
    buffer_printf(&why, "%d questions wait for their answers already; ask again later",
                  ASKING_MAX);
    print_event(question, -EBUSY, &event);
    if (question->is_action)
        self_record(question->asking->group, "action.performed", buffer_text(&event));
    refuse(question->asker, question->asker_id, -EBUSY, &why);
    buffer_free(&event);
}

static void begin(struct asking_question *place, struct asking *asking,
                  struct peer *asker, uint32_t id, const struct ask *ask,
                  const struct access_who *who, int role)
{
    *place = (struct asking_question){.asking = asking,
                                      .asker = asker,
                                      .asker_id = id,
                                      .is_action = ask->is_action,
                                      .deadline.fire = too_late,
                                      .who = *who,
                                      .role = role};
    strcpy(place->instance, ask->instance);
    strcpy(place->name, ask->name);
}

static void ask_for(struct asking *asking, struct peer *asker, uint32_t id,
                    const struct ask *ask, const struct access_who *who)
{
    struct buffer why = {0};
    const struct config_plugin *plugin = plugin_of(asking, ask->instance);
    if (asking->is_over) {
        buffer_append_text(&why, "the appliance is stopping");
        refuse(asker, id, -EAGAIN, &why);
        return;
    }
    if (plugin == NULL) {
        buffer_printf(&why, "there is no instance \"%s\"", ask->instance);
        refuse(asker, id, -ENOENT, &why);
        return;
    }
    const struct json *all = declared_by(plugin, ask->is_action);
    const struct json *declared = json_get(all, ask->name);
    if (ask->name[0] == '\0') {
        list(asker, id, all);
        return;
    }
    if (declared == NULL) {
        buffer_printf(&why, "%s has no %s \"%s\"", ask->instance, kind(ask->is_action),
                      ask->name);
        print_names(&why, all);
        refuse(asker, id, -ENOENT, &why);
        return;
    }
    struct asking_question *place = take_place(asking), none;
    begin(place != NULL ? place : &none, asking, asker, id, ask, who,
          role_for(declared, who->roles));
    if (place != NULL)
        judge(place, ask, declared);
    else
        turn_away(&none);
}

/* ---- What comes */

static int read_text(const struct frame *frame, enum talk_tag tag, char *text,
                     size_t room)
{
    struct field field;
    int err = fields_find(&frame->fields, (uint8_t)tag, &field);
    return err ? err : field_text(&field, text, room);
}

/* DATA; what there is already stays when there is none. */
static int take_bytes(const struct frame *frame, struct field *bytes)
{
    struct field found;
    int err = fields_find(&frame->fields, TAG_DATA, &found);
    if (!err)
        *bytes = found;
    return err == -ENOENT ? 0 : err;
}

static int read_ask(struct ask *ask, const struct frame *frame)
{
    char type[8];
    *ask = (struct ask){.params = {.bytes = (const uint8_t *)"{}", .length = 2}};
    if (read_text(frame, TAG_NAME, ask->instance, sizeof(ask->instance)) != 0 ||
        !word_is_id(ask->instance) ||
        read_text(frame, TAG_TYPE, type, sizeof(type)) != 0 ||
        (strcmp(type, "action") != 0 && strcmp(type, "view") != 0))
        return -EPROTO;
    ask->is_action = strcmp(type, "action") == 0;
    int err = read_text(frame, TAG_KEY, ask->name, sizeof(ask->name));
    if (err == -ENOENT)
        return 0;
    if (err || !word_is_id(ask->name))
        return -EPROTO;
    err = take_bytes(frame, &ask->params);
    return err || ask->params.length > TALK_PARAMS_MAX ? -EPROTO : 0;
}

static bool waits(const struct asking *asking, const struct peer *asker)
{
    for (int i = 0; i < ASKING_MAX; i++)
        if (asking->questions[i].asking != NULL && asking->questions[i].asker == asker)
            return true;
    return false;
}

int asking_ask(struct asking *asking, struct peer *asker, const struct frame *frame,
               const struct access_who *who)
{
    struct ask ask;
    int err = read_ask(&ask, frame);
    if (err || waits(asking, asker))
        return -EPROTO; /* one question at a time */
    ask_for(asking, asker, frame->id, &ask, who);
    return 0;
}

static struct asking_question *asked_of(struct asking *asking, const struct peer *host,
                                        uint32_t id)
{
    for (int i = 0; i < ASKING_MAX; i++)
        if (asking->questions[i].host == host && asking->questions[i].id == id)
            return &asking->questions[i];
    return NULL;
}

int asking_answer(struct asking *asking, struct peer *host, const struct frame *frame)
{
    struct field field, result = {.bytes = (const uint8_t *)"null", .length = 4};
    char text[TALK_WHY_MAX + 1] = "";
    int64_t code;
    if (fields_find(&frame->fields, TAG_ERROR, &field) != 0 ||
        field_number(&field, &code) != 0 || code < 0 || code > UINT8_MAX)
        return -EPROTO;
    int err = read_text(frame, TAG_TEXT, text, sizeof(text));
    if (err && err != -ENOENT)
        return -EPROTO;
    if (take_bytes(frame, &result) != 0 || result.length > TALK_ANSWER_MAX)
        return -EPROTO;
    struct asking_question *question = asked_of(asking, host, frame->id);
    if (question != NULL)
        finish(question, -(int)code, text, &result);
    return 0;
}

/* ---- Life */

void asking_forget(struct asking *asking, const struct peer *peer)
{
    for (int i = 0; i < ASKING_MAX; i++) {
        struct asking_question *question = &asking->questions[i];
        if (question->asking == NULL)
            continue;
        if (question->asker == peer)
            question->asker = NULL;
        if (question->host == peer)
            finish(question, -ECONNRESET,
                   "the plugin ended before it had answered; whether it was done is not "
                   "known",
                   NULL);
        else if (question->asker == NULL && !question->is_action)
            leave(question);
    }
}

void asking_open(struct asking *asking, struct loop *loop, struct children *children,
                 const struct config *config)
{
    *asking = (struct asking){
        .loop = loop, .group = children->group, .children = children, .config = config};
}

void asking_close(struct asking *asking)
{
    asking->is_over = true;
    for (int i = 0; i < ASKING_MAX; i++)
        if (asking->questions[i].asking != NULL)
            leave(&asking->questions[i]);
}
