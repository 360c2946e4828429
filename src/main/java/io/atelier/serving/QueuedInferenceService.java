package io.atelier.serving;

import io.atelier.core.BatchShape;
import io.atelier.core.Deadline;
import io.atelier.core.DeviceState;
import io.atelier.core.InferenceRequest;
import io.atelier.core.InferenceResult;
import io.atelier.core.ModelSignature;
import io.atelier.core.Padding;
import io.atelier.core.PendingInference;
import io.atelier.core.QueueTimeout;
import io.atelier.core.ServingException;
import io.atelier.core.ServingException.Cancelled;
import io.atelier.core.ServingException.DeadlineExceeded;
import io.atelier.core.ServingException.EngineFailure;
import io.atelier.core.ServingException.InvalidInput;
import io.atelier.core.ServingException.NotReady;
import io.atelier.core.ServingException.Overloaded;
import io.atelier.core.ServingListener;
import io.atelier.core.Sharing;
import io.atelier.core.Task;
import io.atelier.core.TaskInput;
import io.atelier.core.TaskKind;
import io.atelier.core.Ticker;
import io.atelier.core.Ticket;
import io.atelier.core.Timer;
import io.atelier.core.Trace;
import io.atelier.device.DeviceExecutor;
import io.atelier.device.DeviceThreads;
import io.atelier.repository.EnsembleConfig;
import io.atelier.scheduling.BatchRule;
import io.atelier.serving.pipeline.PipelinePlan;
import io.atelier.serving.pipeline.PipelineRun;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * {@link InferenceService} over queues and devices: makes the ticket, watches its deadline, and settles it once.
 *
 * <p>Thread-safe. Deadlines are watched by the timer, so a caller is answered in time whatever the device does; a ticket
 * that settles leaves its queue at once.
 */
public final class QueuedInferenceService implements InferenceService {
    /** Texts of more characters than this are read by a worker. */
    private static final int INLINE_CHARACTERS = 4096;

    /** Of an ensemble's ticket, which stands in no queue and is counted by its rows. */
    private static final Sharing ROWS = new Sharing(Sharing.Extent.ROWS, false, "");

    private static final Duration SOON = Duration.ofSeconds(1);

    private final ModelDirectory directory;
    private final Ensembles ensembles;
    private final List<DeviceExecutor> devices;
    private final Admission admission;
    private final boolean strictReadiness;
    private final Duration livenessGrace;
    private final Executor workers;
    private final Timer timer;
    private final Ticker ticker;
    private final ServingListener listener;

    /**
     * @param strictReadiness whether a model that could not be loaded keeps the service from being ready
     * @param livenessGrace   how long the service is live without a healthy device
     * @param workers         prepares long texts and images; may refuse, and then so is the request
     */
    public QueuedInferenceService(
            ModelDirectory directory,
            List<DeviceExecutor> devices,
            Admission admission,
            boolean strictReadiness,
            Duration livenessGrace,
            Executor workers,
            Timer timer,
            Ticker ticker,
            ServingListener listener) {
        this.directory = directory;
        this.ensembles = new Ensembles(directory);
        this.devices = List.copyOf(devices);
        this.admission = admission;
        this.strictReadiness = strictReadiness;
        this.livenessGrace = livenessGrace;
        this.workers = workers;
        this.timer = timer;
        this.ticker = ticker;
        this.listener = listener;
    }

    @Override
    public ModelView model(String name, @Nullable String version) {
        Optional<ServedEnsemble> ensemble = directory.ensemble(name, version);
        return ensemble.isPresent() ? view(ensemble.get()) : view(directory.find(name, version));
    }

    @Override
    public List<ModelView> models() {
        return Stream.concat(
                        directory.ready().stream().map(this::view),
                        directory.ensembles().map(this::view))
                .toList();
    }

    @Override
    public Deadline deadline(Duration timeout) {
        return Deadline.after(timeout, ticker);
    }

    @Override
    public CompletableFuture<InferenceResult> infer(InferenceRequest request, Deadline deadline) {
        return infer(request, deadline, admission::enter);
    }

    /** @param entrance where the request comes in */
    private CompletableFuture<InferenceResult> infer(InferenceRequest request, Deadline deadline, Runnable entrance) {
        String name = request.model().name();
        String version = request.model().version();
        try {
            Optional<ServedEnsemble> ensemble = directory.ensemble(name, version);
            return ensemble.isPresent()
                    ? infer(ensemble.get(), request, deadline, entrance)
                    : infer(directory.find(name, version), request, deadline, entrance);
        } catch (ServingException refused) {
            listener.onRefused(null, refused);
            return CompletableFuture.failedFuture(refused);
        }
    }

    /** An ensemble has no queue of its own: its ticket stands for the whole way, and is counted once. */
    private CompletableFuture<InferenceResult> infer(
            ServedEnsemble ensemble, InferenceRequest request, Deadline deadline, Runnable entrance) {
        PipelinePlan plan;
        try {
            plan = ensembles.plan(ensemble);
            requireSame(plan.signature(), request);
            entrance.run();
        } catch (NotReady refused) {
            listener.onRefused(ensemble.id(), refused);
            return CompletableFuture.failedFuture(refused);
        }
        Ticket ticket =
                new Ticket(request, shape(plan.signature(), request), deadline, ticker.nanoTime(), request.trace());
        listener.onAccepted(ticket);
        PipelineRun run = PipelineRun.of(
                plan, request, deadline, (question, until) -> infer(question, until, admission::enterFurther));
        var unused = run.whenComplete((result, failure) -> {
            admission.exit();
            listener.onSettled(ticket, failure == null ? null : asServing(failure));
        });
        return run;
    }

    /** The request was checked against the signature of the moment, which may have passed. */
    private static void requireSame(ModelSignature signature, InferenceRequest request) {
        if (!signature.accepts(request)) {
            throw new NotReady(
                    "model '" + request.model().name() + "' was replaced by one with another signature; ask again",
                    Duration.ofSeconds(1));
        }
    }

    private static BatchShape shape(ModelSignature signature, InferenceRequest request) {
        Sharing rows = signature.hasBatchAxis() ? ROWS : Sharing.none("");
        return new BatchRule(signature, rows, Padding.NONE).shapeOf(request.inputs());
    }

    private CompletableFuture<InferenceResult> infer(
            ServedModel model, InferenceRequest request, Deadline deadline, Runnable entrance) {
        requireSame(model.signature(), request);
        Optional<RowParts> parts = RowParts.of(model, request);
        return parts.isPresent()
                ? inParts(model, request, parts.get(), deadline, entrance)
                : whole(model, request, deadline, entrance);
    }

    /** More rows than one execution takes: several, and one answer. If the outputs turn out not to be rows, the whole. */
    private CompletableFuture<InferenceResult> inParts(
            ServedModel model, InferenceRequest request, RowParts parts, Deadline deadline, Runnable entrance) {
        try {
            entrance.run();
        } catch (NotReady draining) {
            listener.onRefused(model.id(), draining);
            return CompletableFuture.failedFuture(draining);
        }
        PartsRun run = new PartsRun(
                parts,
                part -> whole(model, part, deadline, admission::enterFurther),
                lost -> {
                    if (model.queue().stopSharing("an execution lost its rows: " + lost)) {
                        listener.onSharingStopped(model.id(), lost);
                    }
                },
                () -> model.queue().sharing().extent() == Sharing.Extent.ROWS
                        ? Optional.empty()
                        : Optional.of(whole(model, request, deadline, admission::enterFurther)));
        var unused = run.whenComplete((result, failure) -> admission.exit());
        return run;
    }

    private CompletableFuture<InferenceResult> whole(
            ServedModel model, InferenceRequest request, Deadline deadline, Runnable entrance) {
        Ticket ticket = new Ticket(
                request,
                model.shapeOf(request.inputs()),
                deadline,
                ticker.nanoTime(),
                request.trace().ofTicket());
        try {
            entrance.run();
        } catch (NotReady draining) {
            listener.onRefused(model.id(), draining);
            return CompletableFuture.failedFuture(draining);
        }
        Answer answer = new Answer(ticket);
        try {
            if (deadline.hasPassed()) {
                throw new DeadlineExceeded("the deadline passed before the request was queued");
            }
            model.queue().offer(ticket);
        } catch (ServingException refused) {
            admission.exit();
            if (refused instanceof NotReady && model.queue().isClosed() && isReplaced(model)) {
                return infer(request, deadline, entrance); // reloaded between our look at the directory and the offer
            }
            listener.onRefused(model.id(), refused);
            return CompletableFuture.failedFuture(refused);
        }
        listener.onAccepted(ticket);
        Timer.Alarm alarm = timer.schedule(deadline.remainingNanos(), () -> expire(ticket));
        Optional<Timer.Alarm> patience = model.queue()
                .policy()
                .queueTimeout()
                .filter(timeout -> timeout.action() == QueueTimeout.Action.REJECT)
                .map(timeout -> timer.schedule(
                        timeout.of(request).toNanos(),
                        () -> ticket.failUnstarted(model.queue().refusal(ticket))));
        ticket.settled().whenComplete((result, failure) -> {
            alarm.cancel();
            patience.ifPresent(Timer.Alarm::cancel);
            admission.exit();
            listener.onSettled(ticket, failure == null ? null : asServing(failure));
            if (failure == null) {
                answer.complete(result);
            } else {
                answer.completeExceptionally(explained(model.signature(), request, asServing(failure)));
            }
        });
        return answer;
    }

    /** An execution that failed for a request whose inputs do not fit each other is that request's fault. */
    private static ServingException explained(
            ModelSignature signature, InferenceRequest request, ServingException failure) {
        if (!(failure instanceof EngineFailure)) {
            return failure;
        }
        return signature
                .contradiction(request.inputs())
                .<ServingException>map(contradiction -> new InvalidInput(contradiction + ": " + failure.detail()))
                .orElse(failure);
    }

    private boolean isReplaced(ServedModel model) {
        return directory
                .ready(model.id())
                .filter(now -> now.queue() != model.queue())
                .isPresent();
    }

    @Override
    public CompletableFuture<Prediction> predict(
            String name, @Nullable String version, List<TaskInput> values, Deadline deadline, Trace trace) {
        ServedModel model = directory.find(name, version);
        Task task = model.task();
        if (task == null) {
            return refuse(model, new InvalidInput("model '" + name + "' has no task, it takes tensors"));
        }
        TaskKind.Medium medium = task.kind().medium();
        if (values.stream().anyMatch(value -> value.medium() != medium)) {
            return refuse(
                    model,
                    new InvalidInput(
                            "model '%s' takes %ss".formatted(name, medium.name().toLowerCase(Locale.ROOT))));
        }
        try {
            admission
                    .enter(); // before anything is prepared: a closed gate costs nothing, and who is inside is answered
            // whole
        } catch (NotReady draining) {
            return refuse(model, draining);
        }
        PredictionCall call = new PredictionCall(
                model, task, trace, workers, request -> infer(model, request, deadline, admission::enterFurther));
        var unused = call.answer().whenComplete((answer, failure) -> admission.exit());
        if (isQuick(values)) {
            begin(call, model, values);
            return call.answer();
        }
        Timer.Alarm alarm = timer.schedule(
                deadline.remainingNanos(),
                () -> refuse(call, model, new DeadlineExceeded("no result within the request's timeout")));
        unused = call.answer().whenComplete((answer, failure) -> alarm.cancel());
        try {
            workers.execute(() -> begin(call, model, values));
        } catch (RejectedExecutionException full) {
            refuse(call, model, new Overloaded("too many bodies wait to be decoded", SOON));
        }
        return call.answer();
    }

    private CompletableFuture<Prediction> refuse(ServedModel model, ServingException reason) {
        listener.onRefused(model.id(), reason);
        return CompletableFuture.failedFuture(reason);
    }

    private void refuse(PredictionCall call, ServedModel model, ServingException reason) {
        if (call.fail(reason)) {
            listener.onRefused(model.id(), reason);
        }
    }

    private void begin(PredictionCall call, ServedModel model, List<TaskInput> values) {
        try {
            call.begin(values);
        } catch (ServingException unreadable) {
            refuse(call, model, unreadable);
        } catch (RuntimeException failure) {
            call.fail(failure);
        }
    }

    /** Whether preparing them is less work than handing them to a worker. */
    private static boolean isQuick(List<TaskInput> values) {
        long characters = 0;
        for (TaskInput value : values) {
            if (!(value instanceof TaskInput.Text text)) {
                return false;
            }
            characters += text.text().length();
        }
        return characters <= INLINE_CHARACTERS;
    }

    @Override
    public void refused(ServingException reason) {
        listener.onRefused(null, reason);
    }

    @Override
    public List<DeviceView> devices() {
        return devices.stream().map(this::view).toList();
    }

    @Override
    public ServingStatus status() {
        boolean loaded = admission.phase() != Admission.Phase.STARTING;
        boolean device = devices.stream().anyMatch(executor -> executor.slots() > 0);
        boolean live = devices.stream().anyMatch(this::isHealthyOrWillBe);
        boolean ready = loaded
                && device
                && admission.phase() == Admission.Phase.OPEN
                && !directory.ready().isEmpty()
                && (!strictReadiness || directory.failures().isEmpty());
        Map<String, String> details = new TreeMap<>();
        details.put("phase", admission.phase().name());
        directory.states().forEach((model, state) -> details.put("model " + model, state));
        directory
                .ensembles()
                .forEach(ensemble -> ensembles
                        .obstacle(ensemble)
                        .ifPresent(reason -> details.put("model " + ensemble.id(), "UNAVAILABLE: " + reason)));
        directory.failures().forEach((name, reason) -> details.put("model " + name, "FAILED: " + reason));
        devices.forEach(executor ->
                details.put("device " + executor.id(), executor.state().name() + ": " + executor.reason()));
        return new ServingStatus(live, ready, loaded, details);
    }

    /** A quarantined device may recover; after the grace period only a new process will. */
    private boolean isHealthyOrWillBe(DeviceExecutor device) {
        return device.state() != DeviceState.QUARANTINED
                || ticker.nanoTime() - device.stateSinceNanos() < livenessGrace.toNanos();
    }

    private static void expire(Ticket ticket) {
        ticket.fail(new DeadlineExceeded("no result within the request's timeout"));
    }

    private ModelView view(ServedModel model) {
        Task task = model.task();
        return new ModelView(
                model.id(),
                directory.readyVersions(model.id().name()),
                model.platform(),
                model.signature(),
                model.maxBatchSize(),
                model.maxRequestRows(),
                model.timeout(),
                true,
                task == null ? null : task.kind(),
                labels(model),
                model.queue()
                        .policy()
                        .queueTimeout()
                        .filter(QueueTimeout::overridable)
                        .isPresent());
    }

    /** Those that its folder gives go before the model's own. */
    private static Map<String, List<String>> labels(ServedModel model) {
        Map<String, List<String>> labels = new HashMap<>();
        model.signature().outputs().stream()
                .filter(output -> !output.labels().isEmpty())
                .forEach(output -> labels.put(output.name(), output.labels()));
        labels.putAll(model.labels());
        return Map.copyOf(labels);
    }

    /** Ready when each of its models is. */
    private ModelView view(ServedEnsemble ensemble) {
        boolean ready = ensembles.isReady(ensemble);
        int rows = ready ? ensembles.maxBatchSize(ensemble) : 1;
        return new ModelView(
                ensemble.id(),
                directory.readyVersions(ensemble.id().name()),
                EnsembleConfig.PLATFORM,
                ensemble.signature(),
                rows,
                rows * ServedModel.MOST_PARTS,
                ensemble.timeout(),
                ready,
                null,
                ensemble.labels());
    }

    private DeviceView view(DeviceExecutor executor) {
        DeviceExecutor.Statistics sums = executor.statistics();
        long now = ticker.nanoTime();
        return new DeviceView(
                executor.id(),
                executor.id().toString(),
                executor.state(),
                executor.reason(),
                executor.limit(),
                DeviceThreads.names(executor.id(), executor.limit()),
                executor.running().stream()
                        .map(run -> new DeviceView.Running(
                                run.model(), run.requests(), run.rows(), Duration.ofNanos(now - run.startedNanos())))
                        .toList(),
                executor.models().stream()
                        .map(held -> new DeviceView.Held(held.model(), held.sharing()))
                        .toList(),
                new DeviceView.Counters(
                        sums.executions(),
                        sums.failures(),
                        sums.requests(),
                        sums.rows(),
                        Duration.ofNanos(sums.busyNanos())));
    }

    static ServingException asServing(Throwable failure) {
        Throwable cause =
                failure instanceof CompletionException && failure.getCause() != null ? failure.getCause() : failure;
        if (cause instanceof CancellationException) {
            return new Cancelled();
        }
        return cause instanceof ServingException known ? known : new EngineFailure("the request failed", cause);
    }

    /** The caller's end of a ticket: cancelling it cancels the ticket. */
    private static final class Answer extends PendingInference {
        private final Ticket ticket;

        Answer(Ticket ticket) {
            this.ticket = ticket;
        }

        @Override
        public boolean hasBegun() {
            return ticket.attempts() > 0;
        }

        @Override
        public boolean cancel(boolean mayInterruptIfRunning) {
            ticket.fail(new Cancelled());
            return super.cancel(mayInterruptIfRunning);
        }
    }
}
