package io.atelier.serving;

import java.util.Map;

/**
 * The three questions of a probe, answered apart, and what stands behind them.
 *
 * @param live    restarting would not help
 * @param ready   requests are welcome
 * @param started loading is over, whatever came of it
 * @param details facts for people, by name
 */
public record ServingStatus(boolean live, boolean ready, boolean started, Map<String, String> details) {}
