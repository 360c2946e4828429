package io.atelier.device;

import io.atelier.core.DeviceId;
import io.smallrye.context.SmallRyeManagedExecutor;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.eclipse.microprofile.context.ManagedExecutor;
import org.eclipse.microprofile.context.ThreadContext;

/**
 * Makes the managed executor of a device: threads of its own, one for each slot, named after it.
 *
 * <p>A managed executor made through the MicroProfile builder alone would be a view over the pool that everything else
 * in the service uses; this one has its own pool. Nobody else shuts it down: whoever makes it does. No context is
 * propagated: an execution serves many requests.
 */
public final class DeviceThreads {
    private DeviceThreads() {}

    public static ManagedExecutor executor(DeviceId device, int slots) {
        List<String> names = names(device, slots);
        AtomicInteger next = new AtomicInteger();
        ExecutorService pool =
                new ThreadPoolExecutor(slots, slots, 0, TimeUnit.SECONDS, new LinkedBlockingQueue<>(), task -> {
                    Thread thread = new Thread(task, names.get(next.getAndIncrement() % slots));
                    thread.setDaemon(true);
                    return thread;
                });
        return SmallRyeManagedExecutor.builder()
                .withExecutorService(pool)
                .maxAsync(slots)
                .propagated()
                .cleared(ThreadContext.ALL_REMAINING)
                .build();
    }

    /** The names of the threads of a device's executor. */
    public static List<String> names(DeviceId device, int slots) {
        return IntStream.range(0, slots).mapToObj(i -> device + "-" + i).toList();
    }
}
