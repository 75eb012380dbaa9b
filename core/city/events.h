/* events - `outpost-city events`: what is stored, and with --follow what comes. */
#ifndef CITY_EVENTS_H
#define CITY_EVENTS_H

int events_run(int argc, char **argv);

#endif
