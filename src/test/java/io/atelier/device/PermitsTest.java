package io.atelier.device;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class PermitsTest {
    @Test
    void givesOutAsManyAsThereAre() {
        Permits permits = new Permits(2);

        assertThat(permits.tryAcquire()).isPresent();
        assertThat(permits.free()).isEqualTo(1);
        assertThat(permits.tryAcquire()).isPresent();
        assertThat(permits.tryAcquire()).isEmpty();
        assertThat(permits.free()).isZero();
        assertThat(permits.limit()).isEqualTo(2);
    }

    @Test
    void aPermitThatIsClosedTwiceComesBackOnce() {
        Permits permits = new Permits(1);
        Permits.Permit permit = permits.tryAcquire().orElseThrow();

        permit.close();
        permit.close();

        assertThat(permits.free()).isEqualTo(1);
        assertThat(permits.tryAcquire()).isPresent();
        permit.close();
        assertThat(permits.tryAcquire())
                .as("the first permit gives nobody else's back")
                .isEmpty();
    }

    @Test
    void aDeviceWithoutPermitsMakesNoSense() {
        assertThatThrownBy(() -> new Permits(0)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void threadsThatRaceNeverHoldMoreThanTheLimit() throws Exception {
        int threads = 8;
        Permits permits = new Permits(3);
        AtomicInteger held = new AtomicInteger();
        AtomicInteger most = new AtomicInteger();
        CyclicBarrier start = new CyclicBarrier(threads);
        Callable<Integer> race = () -> {
            start.await(20, TimeUnit.SECONDS);
            int won = 0;
            for (int i = 0; i < 50_000; i++) {
                Optional<Permits.Permit> permit = permits.tryAcquire();
                if (permit.isPresent()) {
                    most.accumulateAndGet(held.incrementAndGet(), Math::max);
                    held.decrementAndGet();
                    permit.get().close();
                    won++;
                }
            }
            return won;
        };
        ExecutorService executor = Executors.newFixedThreadPool(threads);
        try {
            List<Future<Integer>> races = new ArrayList<>();
            for (int i = 0; i < threads; i++) {
                races.add(executor.submit(race));
            }
            int won = 0;
            for (Future<Integer> one : races) {
                won += one.get(60, TimeUnit.SECONDS);
            }
            assertThat(won).isPositive();
        } finally {
            executor.shutdownNow();
        }
        assertThat(most.get()).isBetween(1, 3);
        assertThat(permits.free()).isEqualTo(3);
    }
}
