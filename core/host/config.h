/* config - checks a configuration file and prints it as JSON for the keeper.
 *
 * The file is Lua as data: it runs with office, city, plugin and the basic functions only, within
 * a budget. lua/config.lua collects what it says and checks it with the plugins' own schemas. */
#ifndef HOST_CONFIG_H
#define HOST_CONFIG_H

/* FILE --plugins DIR --lua DIR. Returns the exit code: 0 and JSON on standard output, or 1 and one
 * error a line on standard error, or 2 for wrong arguments. */
int config_main(int count, char **arguments);

#endif
