package io.atelier.chaos;

import io.atelier.core.Deadline;
import io.atelier.core.DeviceId;
import io.atelier.core.InferenceRequest;
import io.atelier.core.InferenceResult;
import io.atelier.core.ModelId;
import io.atelier.core.Padding;
import io.atelier.core.ServingException;
import io.atelier.core.ServingException.DeadlineExceeded;
import io.atelier.core.ServingException.EngineFailure;
import io.atelier.core.TaskInput;
import io.atelier.core.Tensor;
import io.atelier.core.Trace;
import io.atelier.engine.Engine;
import io.atelier.engine.EngineBatch;
import io.atelier.engine.ModelInstance;
import io.atelier.engine.ModelLoadException;
import io.atelier.engine.ModelSource;
import io.atelier.serving.DeviceView;
import io.atelier.serving.InferenceService;
import io.atelier.serving.ModelView;
import io.atelier.serving.Prediction;
import io.atelier.serving.ServingStatus;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * What Atelier's core is compared with: one queue, bounded by memory alone, a worker for each slot, batches as they
 * come. A caller is answered at its deadline, but its work stays queued and is done, as behind a plain thread pool with
 * timeouts.
 *
 * <p>Everything but {@link #infer} is the real service's.
 */
public final class PlainFifoInferenceService implements InferenceService {
    private record Work(InferenceRequest request, CompletableFuture<InferenceResult> answer) {}

    private final InferenceService real;
    private final int maxBatchSize;
    private final BlockingQueue<Work> queue = new LinkedBlockingQueue<>();
    private final ScheduledThreadPoolExecutor timer =
            new ScheduledThreadPoolExecutor(1, PlainFifoInferenceService::daemon);

    /** Starts a worker for each slot. */
    public PlainFifoInferenceService(InferenceService real, Engine engine, int slots, int maxBatchSize)
            throws ModelLoadException {
        this.real = real;
        this.maxBatchSize = maxBatchSize;
        timer.setRemoveOnCancelPolicy(true);
        ModelSource source = new ModelSource(new ModelId("add", "1"), Path.of("none"), Padding.NONE, 1);
        for (int i = 0; i < slots; i++) {
            ModelInstance instance = engine.load(source, DeviceId.cpu(i));
            Executors.newSingleThreadExecutor(PlainFifoInferenceService::daemon).execute(() -> work(instance));
        }
    }

    @Override
    public CompletableFuture<InferenceResult> infer(InferenceRequest request, Deadline deadline) {
        CompletableFuture<InferenceResult> answer = new CompletableFuture<>();
        ScheduledFuture<?> alarm = timer.schedule(
                () -> answer.completeExceptionally(new DeadlineExceeded("no result within the request's timeout")),
                deadline.remainingNanos(),
                TimeUnit.NANOSECONDS);
        var unused = answer.whenComplete((result, failure) -> alarm.cancel(false));
        queue.add(new Work(request, answer));
        return answer;
    }

    private void work(ModelInstance instance) {
        List<Work> batch = new ArrayList<>();
        while (!Thread.currentThread().isInterrupted()) {
            batch.clear();
            try {
                batch.add(queue.take());
            } catch (InterruptedException ended) {
                return;
            }
            queue.drainTo(batch, maxBatchSize - 1);
            run(instance, batch);
        }
    }

    private static void run(ModelInstance instance, List<Work> batch) {
        try {
            List<List<Tensor>> outputs = instance.run(new EngineBatch(
                            batch.stream().map(work -> work.request().inputs()).toList(),
                            List.of("y"),
                            new CompletableFuture<>()))
                    .toCompletableFuture()
                    .join();
            for (int i = 0; i < batch.size(); i++) {
                Work work = batch.get(i);
                work.answer().complete(new InferenceResult(work.request().model(), outputs.get(i)));
            }
        } catch (RuntimeException failure) {
            batch.forEach(
                    work -> work.answer().completeExceptionally(new EngineFailure("the execution failed", failure)));
        }
    }

    @Override
    public ModelView model(String name, @Nullable String version) {
        return real.model(name, version);
    }

    @Override
    public List<ModelView> models() {
        return real.models();
    }

    @Override
    public Deadline deadline(Duration timeout) {
        return real.deadline(timeout);
    }

    @Override
    public CompletableFuture<Prediction> predict(
            String model, @Nullable String version, List<TaskInput> values, Deadline deadline, Trace trace) {
        return real.predict(model, version, values, deadline, trace);
    }

    @Override
    public void refused(ServingException reason) {
        // the plain core counts nothing
    }

    @Override
    public List<DeviceView> devices() {
        return real.devices();
    }

    @Override
    public ServingStatus status() {
        return real.status();
    }

    private static Thread daemon(Runnable task) {
        Thread thread = new Thread(task, "fifo");
        thread.setDaemon(true);
        return thread;
    }
}
