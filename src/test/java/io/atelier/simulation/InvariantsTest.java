package io.atelier.simulation;

import static org.assertj.core.api.Assertions.assertThat;

import io.atelier.simulation.Invariants.Broken;
import io.atelier.simulation.Invariants.Name;
import io.atelier.simulation.Simulation.Sabotage;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The invariants can fail: with a wrong component in the core, the promise that it breaks is named. */
class InvariantsTest {
    private static final int SCHEDULES = 3000;

    @ParameterizedTest
    @CsvSource({
        "PERMITS_COME_BACK_EARLY, PERMITS",
        "PERMITS_COME_BACK_EARLY, NEVER_CLOSED_UNDER_A_RUN",
        "BLIND_GOLDEN, TRUE_ANSWER",
        "SLOW_QUEUE_CLOCK, NO_LATE_START",
        "UNSTEADY_QUEUE_CLOCK, FIFO",
        "LOST_HAND_OVERS, WORK_CONSERVING",
        "LOST_HAND_OVERS, NO_ORPHAN",
        "NARROW_GUARD, GUARD_NEVER_FULL",
        "LATE_ALARMS, SETTLED_BY_DEADLINE",
        "LATE_ALARMS, WATCHDOG",
        "FREED_UNDER_LOAD, NEVER_CLOSED_UNDER_A_RUN",
    })
    void aWrongComponentBreaksThePromise(Sabotage sabotage, Name promise) {
        assertThat(someScheduleBreaks(sabotage, promise)).isTrue();
    }

    private static boolean someScheduleBreaks(Sabotage sabotage, Name promise) {
        for (long seed = 1; seed <= SCHEDULES; seed++) {
            try {
                Simulation.run(seed, sabotage);
            } catch (Broken broken) {
                if (broken.name == promise) {
                    return true;
                }
            }
        }
        return false;
    }
}
