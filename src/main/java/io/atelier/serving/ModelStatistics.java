package io.atelier.serving;

import io.atelier.core.ModelId;
import io.atelier.core.ServingException;
import io.atelier.core.ServingException.Cancelled;
import io.atelier.core.ServingListener;
import io.atelier.core.Ticker;
import io.atelier.core.Ticket;
import io.atelier.serving.ModelCounts.Compute;
import io.atelier.serving.ModelCounts.Sum;
import java.time.InstantSource;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;

/**
 * Counts, for each model version, what became of its requests. Thread-safe and free of locks: an event is a look-up and a
 * few additions. An answered request is counted before its caller hears of it, so who asks afterwards finds it.
 */
public final class ModelStatistics implements ServingListener {
    private final Map<ModelId, Counters> models = new ConcurrentHashMap<>();
    private final Ticker ticker;
    private final InstantSource clock;

    public ModelStatistics(Ticker ticker, InstantSource clock) {
        this.ticker = ticker;
        this.clock = clock;
    }

    /** What is counted of a model version so far; zeros if nothing is. */
    public ModelCounts of(ModelId model) {
        Counters counters = models.get(model);
        return (counters == null ? new Counters() : counters).read();
    }

    /** Forgets a model version that is gone. */
    public void forget(ModelId model) {
        models.remove(model);
    }

    @Override
    public void onRefused(@Nullable ModelId model, ServingException reason) {
        if (model != null) {
            counters(model).fail.add(0);
        }
    }

    @Override
    public void onAccepted(Ticket ticket) {
        counters(ticket.request().model()).lastRequestMillis = clock.millis();
    }

    @Override
    public void onSettled(Ticket ticket, @Nullable ServingException failure) {
        Counters counters = counters(ticket.request().model());
        long nanos = ticker.nanoTime() - ticket.arrivedNanos();
        if (failure == null) {
            counters.inferences.add(ticket.shape().rows());
            counters.success.add(nanos);
            counters.queue.add(ticket.startedNanos() - ticket.arrivedNanos());
            return;
        }
        counters.fail.add(nanos);
        if (failure instanceof Cancelled) {
            counters.cancel.add(nanos);
        }
    }

    @Override
    public void onExecuted(Execution execution, Stages stages) {
        Counters counters = counters(execution.model());
        counters.executions.increment();
        counters.compute.add(execution.requests(), stages);
        counters.batches
                .computeIfAbsent(execution.rows(), rows -> new StageAdders())
                .add(1, stages);
    }

    private Counters counters(ModelId model) {
        Counters counters = models.get(model);
        return counters != null ? counters : models.computeIfAbsent(model, id -> new Counters());
    }

    /** The counters of one model version. */
    private static final class Counters {
        volatile long lastRequestMillis;
        final LongAdder inferences = new LongAdder();
        final LongAdder executions = new LongAdder();
        final Adder success = new Adder();
        final Adder fail = new Adder();
        final Adder cancel = new Adder();
        final Adder queue = new Adder();
        final StageAdders compute = new StageAdders();
        final Map<Integer, StageAdders> batches = new ConcurrentHashMap<>();

        ModelCounts read() {
            SortedMap<Integer, Compute> bySize = new TreeMap<>();
            batches.forEach((rows, adder) -> bySize.put(rows, adder.read()));
            return new ModelCounts(
                    lastRequestMillis,
                    inferences.sum(),
                    executions.sum(),
                    success.read(),
                    fail.read(),
                    cancel.read(),
                    queue.read(),
                    compute.read(),
                    bySize);
        }
    }

    /** A count, and a time for each stage of an execution. */
    private static final class StageAdders {
        private final Adder input = new Adder();
        private final Adder infer = new Adder();
        private final Adder output = new Adder();

        /** So many that had the whole of the same execution. */
        void add(int times, Stages stages) {
            input.add(times, times * stages.inputNanos());
            infer.add(times, times * stages.inferNanos());
            output.add(times, times * stages.outputNanos());
        }

        Compute read() {
            return new Compute(input.read(), infer.read(), output.read());
        }
    }

    /** A count and a time. */
    private static final class Adder {
        private final LongAdder count = new LongAdder();
        private final LongAdder nanos = new LongAdder();

        void add(long duration) {
            add(1, duration);
        }

        void add(long times, long duration) {
            count.add(times);
            nanos.add(duration);
        }

        Sum read() {
            return new Sum(count.sum(), nanos.sum());
        }
    }
}
