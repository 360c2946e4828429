package io.atelier.device;

import io.atelier.core.DeviceId;
import io.smallrye.context.SmallRyeManagedExecutor;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntFunction;
import java.util.stream.IntStream;
import org.eclipse.microprofile.context.ManagedExecutor;
import org.eclipse.microprofile.context.ThreadContext;

/**
 * Makes the managed executors of a device: threads of its own, one for each slot, named after it, and others for
 * loading.
 *
 * <p>A managed executor made through the MicroProfile builder alone would be a view over the pool that everything else
 * in the service uses; this one has its own pool. Nobody else shuts it down: whoever makes it does. No context is
 * propagated: an execution serves many requests.
 */
public final class DeviceThreads {
    private static final Duration IDLE = Duration.ofSeconds(10);

    /** As MicroProfile writes it. */
    private static final int UNLIMITED = -1;

    private DeviceThreads() {}

    public static ManagedExecutor executor(DeviceId device, int slots) {
        List<String> names = names(device, slots);
        return managed(
                new ThreadPoolExecutor(
                        slots,
                        slots,
                        0,
                        TimeUnit.SECONDS,
                        new LinkedBlockingQueue<>(),
                        threads(number -> names.get(number % slots))),
                slots);
    }

    /**
     * Threads for loading models: one for each load, which {@link Loads} counts, so that one that hangs takes nobody
     * else's. They end when there is nothing to load.
     */
    public static ManagedExecutor loader(DeviceId device) {
        return managed(
                new ThreadPoolExecutor(
                        0,
                        Integer.MAX_VALUE,
                        IDLE.toSeconds(),
                        TimeUnit.SECONDS,
                        new SynchronousQueue<>(),
                        threads(number -> device + "-load-" + number)),
                UNLIMITED);
    }

    private static ManagedExecutor managed(ThreadPoolExecutor pool, int atOnce) {
        return SmallRyeManagedExecutor.builder()
                .withExecutorService(pool)
                .maxAsync(atOnce)
                .propagated()
                .cleared(ThreadContext.ALL_REMAINING)
                .build();
    }

    private static ThreadFactory threads(IntFunction<String> name) {
        AtomicInteger next = new AtomicInteger();
        return task -> {
            Thread thread = new Thread(task, name.apply(next.getAndIncrement()));
            thread.setDaemon(true);
            return thread;
        };
    }

    /** The names of the threads of a device's executor. */
    public static List<String> names(DeviceId device, int slots) {
        return IntStream.range(0, slots).mapToObj(i -> device + "-" + i).toList();
    }
}
