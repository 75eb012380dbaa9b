/* city - the city's collector: the real `outpost-city run`, on a simulated disk and network. */
#ifndef SIM_CITY_H
#define SIM_CITY_H

#include <stdbool.h>

#define CITY_KEY "outpost-city/city"

void city_begin(void);
void city_start(void);
bool city_is_running(void);
/* Asks it to end, as SIGTERM does. */
void city_stop(void);
/* It has died, or dies now. */
void city_fell(bool silent);

#endif
