package io.atelier.scheduling;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Random;
import org.junit.jupiter.api.Test;

class WaitPredictorTest {
    private static final long MS = 1_000_000;

    private final WaitPredictor predictor = new WaitPredictor();

    @Test
    void givesBatchesInTurnToTheSlotThatIsFreeFirst() {
        long[] residuals = {10 * MS, 30 * MS};

        assertThat(WaitPredictor.modelNanos(residuals, 0, 50 * MS)).isEqualTo(10 * MS);
        assertThat(WaitPredictor.modelNanos(residuals, 1, 50 * MS)).isEqualTo(30 * MS);
        assertThat(WaitPredictor.modelNanos(residuals, 2, 50 * MS)).isEqualTo(60 * MS);
        assertThat(WaitPredictor.modelNanos(residuals, 5, 50 * MS)).isEqualTo(130 * MS);
    }

    @Test
    void believesTheModelUntilItLearns() {
        assertThat(predictor.expectedNanos(100 * MS)).isEqualTo(100 * MS);
        assertThat(predictor.pessimisticNanos(100 * MS)).isEqualTo(100 * MS);
    }

    @Test
    void learnsThatWaitsAreTwiceAsLong() {
        for (int i = 0; i < 300; i++) {
            predictor.met(100 * MS, 200 * MS);
        }

        assertThat(predictor.expectedNanos(100 * MS)).isCloseTo(200 * MS, within(5 * MS));
    }

    @Test
    void isPessimisticByTheSpreadOfWhatWasMet() {
        Random random = new Random(7);
        int exceeded = 0;
        for (int i = 0; i < 4000; i++) {
            long met = (long) (100 * MS * (0.5 + random.nextDouble()));
            if (i >= 2000 && met > predictor.pessimisticNanos(100 * MS)) {
                exceeded++;
            }
            predictor.met(100 * MS, met);
        }

        assertThat(exceeded / 2000.0).isBetween(0.02, 0.09);
        assertThat(predictor.expectedNanos(100 * MS)).isCloseTo(100 * MS, within(15 * MS));
    }

    @Test
    void oneHangDoesNotCloseTheDoor() {
        predictor.met(10 * MS, 60_000 * MS);

        assertThat(predictor.expectedNanos(100 * MS)).isLessThan(110 * MS);
    }

    @Test
    void shortWaitsTeachNothing() {
        for (int i = 0; i < 100; i++) {
            predictor.met(MS, 100 * MS);
        }

        assertThat(predictor.expectedNanos(100 * MS)).isEqualTo(100 * MS);
    }
}
