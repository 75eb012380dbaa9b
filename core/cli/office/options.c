/* options - see options.h. */
#include "cli/office/options.h"

#include <stdio.h>

#include "base/base.h"

enum { FIRST = 256 }; /* beyond every letter */

int options_read(const struct option_place *places, size_t count, const char *usage,
                 int argc, char **argv)
{
    struct option known[OPTIONS_MOST + 2] = {{"help", no_argument, NULL, 'h'}};
    int option;
    ASSERT(count <= OPTIONS_MOST);
    for (size_t i = 0; i < count; i++)
        known[i + 1] = (struct option){
            places[i].name, places[i].flag != NULL ? no_argument : required_argument,
            NULL, FIRST + (int)i};
    while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
        if (option < FIRST)
            return fputs(usage, option == 'h' ? stdout : stderr), option == 'h' ? 1 : 3;
        const struct option_place *place = &places[option - FIRST];
        if (place->flag != NULL)
            *place->flag = true;
        else
            *place->text = optarg;
    }
    return 0;
}

int options_alone(const struct option_place *places, size_t count, const char *usage,
                  int argc, char **argv)
{
    int stop = options_read(places, count, usage, argc, argv);
    if (stop || optind == argc)
        return stop;
    fprintf(stderr, "%s: unexpected \"%s\"\n%s", argv[0], argv[optind], usage);
    return 3;
}
