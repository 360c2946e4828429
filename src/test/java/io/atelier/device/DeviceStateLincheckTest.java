package io.atelier.device;

import io.atelier.core.DeviceId;
import io.atelier.core.DeviceState;
import io.atelier.core.ServingListener;
import io.atelier.testing.OpenGuard;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.AbstractExecutorService;
import java.util.concurrent.TimeUnit;
import org.jetbrains.lincheck.datastructures.ModelCheckingOptions;
import org.jetbrains.lincheck.datastructures.Operation;
import org.jetbrains.lincheck.datastructures.Validate;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** A device's state has one history, CLOSED is its end, and its slots are free when nothing runs. */
@Tag("concurrency")
public class DeviceStateLincheckTest {
    private final DeviceExecutor device = new DeviceExecutor(
            DeviceId.cpu(0),
            2,
            new CallersThread(),
            new CallersThread(),
            new OpenGuard(),
            new WatchPolicy(2, Duration.ofSeconds(1), Duration.ofSeconds(1), Duration.ZERO, Duration.ofSeconds(1)),
            Runnable::run,
            (delay, task) -> () -> {},
            () -> 1,
            ServingListener.NONE);

    @Operation
    public void open() {
        device.open();
    }

    @Operation
    public void quarantine() {
        device.quarantine("test");
    }

    @Operation
    public void drain() {
        device.drain();
    }

    @Operation
    public boolean close() throws InterruptedException {
        return device.close(Duration.ZERO);
    }

    @Operation
    public DeviceState state() {
        return device.state();
    }

    @Operation
    public int slots() {
        return device.slots();
    }

    @Validate
    public void slotsAreFree() {
        if (device.freeSlots() != device.slots()) {
            throw new IllegalStateException(device.freeSlots() + " free of " + device.slots());
        }
    }

    @Test
    void everyInterleavingIsOneInOrder() {
        new ModelCheckingOptions()
                .threads(3)
                .actorsPerThread(2)
                .actorsBefore(1)
                .actorsAfter(1)
                .iterations(30)
                .invocationsPerIteration(500)
                .check(DeviceStateLincheckTest.class);
    }

    private static final class CallersThread extends AbstractExecutorService {
        @Override
        public void execute(Runnable task) {
            task.run();
        }

        @Override
        public void shutdown() {}

        @Override
        public List<Runnable> shutdownNow() {
            return List.of();
        }

        @Override
        public boolean isShutdown() {
            return false;
        }

        @Override
        public boolean isTerminated() {
            return true;
        }

        @Override
        public boolean awaitTermination(long timeout, TimeUnit unit) {
            return true;
        }
    }
}
