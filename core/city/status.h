/* status - `outpost-city status`: every office, how far it is and what was found. */
#ifndef CITY_STATUS_H
#define CITY_STATUS_H

int status_run(int argc, char **argv);

#endif
