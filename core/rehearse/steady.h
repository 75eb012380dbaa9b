/* steady - the same addresses in every run: Lua takes the order of its tables from them. */
#ifndef REHEARSE_STEADY_H
#define REHEARSE_STEADY_H

/* Executes this program anew without random addresses, unless it runs so already. Returns when it
 * does, or when the system does not allow it: then only a plugin that goes by the order of pairs()
 * or by math.random() may differ from run to run. */
void steady_begin(char **arguments);

#endif
