package io.atelier.simulation;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Schedules that break a promise where the core forgets what the test's name says. */
class SimulationRegressionTest {
    @ParameterizedTest(name = "seed {0}")
    @ValueSource(longs = {8, 20, 23, 25, 40, 47})
    void aDeviceThatCannotUseItsWakeUpPassesItOn(long seed) {
        Simulation.run(seed, Simulation.Sabotage.NONE);
    }

    @ParameterizedTest(name = "seed {0}")
    @ValueSource(longs = {2541, 6319, 6704})
    void aBatchThatWaitedForCompanyIsPulledByAnyDevice(long seed) {
        Simulation.run(seed, Simulation.Sabotage.NONE);
    }

    @ParameterizedTest(name = "seed {0}")
    @ValueSource(longs = {457, 1645, 1664, 2113, 2586, 4536})
    void anIdleCheckThatFindsNoPlaceForgetsNoOtherCheck(long seed) {
        Simulation.run(seed, Simulation.Sabotage.NONE);
    }

    @ParameterizedTest(name = "seed {0}")
    @ValueSource(longs = {686, 1227, 1342, 1597, 1674, 1789})
    void whatADeviceWasComputingWhenItWasFoundOutIsNotBelieved(long seed) {
        Simulation.run(seed, Simulation.Sabotage.NONE);
    }

    @ParameterizedTest(name = "seed {0}")
    @ValueSource(longs = {9454, 14701, 20189, 21770, 27242, 27461})
    void aRetryDoesNotGoToTheDeviceThatHasJustFailed(long seed) {
        Simulation.run(seed, Simulation.Sabotage.NONE);
    }

    @ParameterizedTest(name = "seed {0}")
    @ValueSource(longs = 23611)
    void aDeviceQuarantinedSinceItsPullGivesTheBatchBack(long seed) {
        Simulation.run(seed, Simulation.Sabotage.NONE);
    }

    @ParameterizedTest(name = "seed {0}")
    @ValueSource(longs = {133, 215, 314, 334, 393, 486})
    void aGoldenCheckThatTakesARequestsWakeUpPassesItOn(long seed) {
        Simulation.run(seed, Simulation.Sabotage.NONE);
    }

    @ParameterizedTest(name = "seed {0}")
    @ValueSource(longs = {40169, 53391, 99446})
    void fullDevicesDoNotHandAWakeUpToAndFro(long seed) {
        Simulation.run(seed, Simulation.Sabotage.NONE);
    }

    @Test
    void aQueueTimeoutRefusesOnlyWhatNoDeviceHasTaken() {
        for (long seed = 1; seed <= 3000; seed++) {
            Simulation.runWithQueueTimeouts(seed);
        }
    }
}
