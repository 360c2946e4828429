package io.atelier.device;

import io.atelier.core.DeviceId;
import io.smallrye.context.SmallRyeManagedExecutor;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
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

    private DeviceThreads() {}

    public static ManagedExecutor executor(DeviceId device, int slots) {
        return managed(slots, Duration.ZERO, names(device, slots));
    }

    /** Threads for loading models, as many as executions; they end when there is nothing to load. */
    public static ManagedExecutor loader(DeviceId device, int slots) {
        return managed(slots, IDLE, names(device, "load-", slots));
    }

    private static ManagedExecutor managed(int threads, Duration keepAlive, List<String> names) {
        AtomicInteger next = new AtomicInteger();
        ThreadPoolExecutor pool = new ThreadPoolExecutor(
                threads, threads, keepAlive.toNanos(), TimeUnit.NANOSECONDS, new LinkedBlockingQueue<>(), task -> {
                    Thread thread = new Thread(task, names.get(next.getAndIncrement() % threads));
                    thread.setDaemon(true);
                    return thread;
                });
        pool.allowCoreThreadTimeOut(!keepAlive.isZero());
        return SmallRyeManagedExecutor.builder()
                .withExecutorService(pool)
                .maxAsync(threads)
                .propagated()
                .cleared(ThreadContext.ALL_REMAINING)
                .build();
    }

    /** The names of the threads of a device's executor. */
    public static List<String> names(DeviceId device, int slots) {
        return names(device, "", slots);
    }

    private static List<String> names(DeviceId device, String purpose, int count) {
        return IntStream.range(0, count)
                .mapToObj(i -> device + "-" + purpose + i)
                .toList();
    }
}
