/**
 * The whole core (service, queues, device executors, watchdog) under a virtual clock and a seeded schedule: one thread,
 * no sleeps, any order of hand-offs that real threads could produce.
 */
@NullMarked
package io.atelier.simulation;

import org.jspecify.annotations.NullMarked;
