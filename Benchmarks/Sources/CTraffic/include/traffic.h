/* SPDX-License-Identifier: Apache-2.0 */
/* System calls to measure: run in a process of its own, which is all that the probe is allowed to see. */
#ifndef FALCO_TRAFFIC_H
#define FALCO_TRAFFIC_H

/*
 * Answers lines of stdin until its end; the gate is that nothing happens before a line.
 *   cost CALL BATCHES COUNT        makes BATCHES times COUNT calls; answers per batch the processor time of a call in ns.
 *                                  CALL: getppid, open (openat and close), missing (openat of a file that is not there)
 *   flood SECONDS RATE TRICKLE     opens and closes FILE, RATE times a second (0: as fast as it goes, -1: never), and opens
 *                                  TRICKLED_FILE TRICKLE times a second; answers how many pairs and how many of the others
 * Runs on processor `cpu` where that exists.
 */
int traffic_main(int cpu, const char *file, const char *trickled_file);

/* Keeps the calling thread on one processor; 0, or the errno. */
int traffic_pin(int cpu);
#endif
