package io.atelier.device;

import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * The right to run native executions on one device: {@link #limit()} at once.
 *
 * <p>A permit is held until the native call has truly returned, also when its callers were answered long before.
 * Thread-safe; {@link #tryAcquire} never waits.
 */
final class Permits {
    private final int limit;
    private final AtomicInteger taken = new AtomicInteger();

    Permits(int limit) {
        if (limit < 1) {
            throw new IllegalArgumentException("a device needs at least one permit, not " + limit);
        }
        this.limit = limit;
    }

    int limit() {
        return limit;
    }

    int free() {
        return limit - taken.get();
    }

    /** A permit, if one is free. */
    Optional<Permit> tryAcquire() {
        int now = taken.get();
        while (now < limit) {
            if (taken.compareAndSet(now, now + 1)) {
                return Optional.of(new Permit());
            }
            now = taken.get();
        }
        return Optional.empty();
    }

    /** One right to run; closing it gives it back, closing it twice is harmless. */
    final class Permit implements AutoCloseable {
        private final AtomicBoolean open = new AtomicBoolean(true);

        @Override
        public void close() {
            if (open.getAndSet(false)) {
                taken.decrementAndGet();
            }
        }
    }
}
