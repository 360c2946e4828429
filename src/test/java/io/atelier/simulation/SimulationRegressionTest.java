package io.atelier.simulation;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Schedules that once broke a promise, by what was wrong. */
class SimulationRegressionTest {
    @ParameterizedTest(name = "seed {0}")
    @ValueSource(longs = {8, 23, 25, 40, 44, 47})
    void aDeviceThatCannotUseItsWakeUpPassesItOn(long seed) {
        Simulation.run(seed, Simulation.Sabotage.NONE);
    }

    @ParameterizedTest(name = "seed {0}")
    @ValueSource(longs = {6319, 6704, 11428, 13149, 13562, 18046})
    void aBatchThatWaitedForCompanyIsPulledByAnyDevice(long seed) {
        Simulation.run(seed, Simulation.Sabotage.NONE);
    }

    @ParameterizedTest(name = "seed {0}")
    @ValueSource(longs = {457, 1105, 1645, 1664, 2113, 2632})
    void anIdleCheckThatFindsNoPlaceForgetsNoOtherCheck(long seed) {
        Simulation.run(seed, Simulation.Sabotage.NONE);
    }
}
