/* check - `outpost-city check`: would `run` with these options begin? Touches nothing. */
#ifndef CITY_CHECK_H
#define CITY_CHECK_H

int check_run(int argc, char **argv);

#endif
