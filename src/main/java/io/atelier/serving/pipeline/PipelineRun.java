package io.atelier.serving.pipeline;

import io.atelier.core.Deadline;
import io.atelier.core.InferenceRequest;
import io.atelier.core.InferenceResult;
import io.atelier.core.ModelSignature;
import io.atelier.core.PendingInference;
import io.atelier.core.ServingException.InvalidInput;
import io.atelier.core.Tensor;
import io.atelier.core.TensorSpec;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.function.BiFunction;
import org.jspecify.annotations.Nullable;

/**
 * One request's way through an ensemble: a step is asked as soon as what it takes is there, so steps that do not wait
 * for each other run side by side. All have the request's deadline and priority. Tensors go from step to step as they
 * are, and are let go when no step and no caller needs them. The first failure, and whoever cancels, cancels the steps
 * that are under way; the others are never asked. Steps whose tensors nobody asked for are left out.
 *
 * <p>Thread-safe: the object's lock guards tensors and steps; nothing foreign is called under it.
 */
public final class PipelineRun extends PendingInference {
    private final PipelinePlan plan;
    private final InferenceRequest request;
    private final Deadline deadline;
    private final BiFunction<InferenceRequest, Deadline, CompletableFuture<InferenceResult>> ask;
    private final Set<Integer> waiting;
    private final Map<String, Tensor> tensors = new HashMap<>();
    private final Map<String, Integer> uses = new HashMap<>();
    private final List<CompletableFuture<InferenceResult>> calls = new ArrayList<>();
    private boolean over;

    private PipelineRun(
            PipelinePlan plan,
            InferenceRequest request,
            Deadline deadline,
            BiFunction<InferenceRequest, Deadline, CompletableFuture<InferenceResult>> ask) {
        this.plan = plan;
        this.request = request;
        this.deadline = deadline;
        this.ask = ask;
        this.waiting = new HashSet<>(plan.needed(request.outputs()));
        for (int step : waiting) {
            plan.steps().get(step).takes().forEach(this::use);
        }
        request.outputs().forEach(this::use);
    }

    /**
     * Begins.
     *
     * @param request its inputs and outputs are those of the plan
     * @param ask     asks a step's model
     */
    public static PipelineRun of(
            PipelinePlan plan,
            InferenceRequest request,
            Deadline deadline,
            BiFunction<InferenceRequest, Deadline, CompletableFuture<InferenceResult>> ask) {
        PipelineRun run = new PipelineRun(plan, request, deadline, ask);
        run.goOn(request.inputs());
        return run;
    }

    @Override
    public synchronized boolean hasBegun() {
        return calls.stream()
                .anyMatch(call -> call.isDone() || (call instanceof PendingInference pending && pending.hasBegun()));
    }

    @Override
    public boolean cancel(boolean mayInterruptIfRunning) {
        boolean cancelled = super.cancel(mayInterruptIfRunning);
        stop();
        return cancelled;
    }

    private void use(String tensor) {
        uses.merge(tensor, 1, Integer::sum);
    }

    /** Tensors have come: asks the steps that waited for them, or answers if that was all. */
    private void goOn(List<Tensor> come) {
        List<Integer> asking = new ArrayList<>();
        List<Tensor> answer = null;
        synchronized (this) {
            if (over || isDone()) { // a cancelled run is done a moment before it is over
                return;
            }
            for (Tensor tensor : come) {
                if (uses.containsKey(tensor.name())) {
                    tensors.put(tensor.name(), tensor);
                }
            }
            for (int step : plan.order()) {
                if (waiting.contains(step)
                        && tensors.keySet().containsAll(plan.steps().get(step).takes())) {
                    waiting.remove(step);
                    asking.add(step);
                }
            }
            if (tensors.keySet().containsAll(request.outputs())) {
                over = true;
                answer = request.outputs().stream().map(this::tensor).toList();
            }
        }
        if (answer != null) {
            complete(new InferenceResult(request.model(), answer));
        }
        asking.forEach(this::ask);
    }

    private void ask(int index) {
        PipelinePlan.Step step = plan.steps().get(index);
        InferenceRequest question;
        synchronized (this) {
            if (over || isDone()) {
                return;
            }
            question = new InferenceRequest(
                    null,
                    step.model(),
                    inputs(step),
                    step.signature().outputs().stream()
                            .map(TensorSpec::name)
                            .filter(output -> uses.containsKey(step.gives().getOrDefault(output, "")))
                            .toList(),
                    request.priority(),
                    request.trace());
        }
        String misfit = misfit(step.signature(), question.inputs());
        if (misfit != null) {
            fail(new InvalidInput(
                    "step %d (%s): %s".formatted(index + 1, step.model().name(), misfit)));
            return;
        }
        CompletableFuture<InferenceResult> call = ask.apply(question, deadline);
        boolean unwanted;
        synchronized (this) {
            unwanted = over;
            calls.add(call);
        }
        if (unwanted) {
            call.cancel(false);
        }
        var unused = call.whenComplete((result, failure) -> {
            if (failure == null) {
                goOn(result.outputs().stream()
                        .map(output -> output.named(step.gives().getOrDefault(output.name(), "")))
                        .toList());
            } else {
                fail(failure);
            }
        });
    }

    /** What a step takes, under the names of its model; lets go of what nobody else needs. */
    private List<Tensor> inputs(PipelinePlan.Step step) {
        List<Tensor> inputs = new ArrayList<>();
        for (int i = 0; i < step.takes().size(); i++) {
            inputs.add(tensor(step.takes().get(i))
                    .named(step.signature().inputs().get(i).name()));
        }
        for (String tensor : step.takes()) {
            if (uses.merge(tensor, -1, Integer::sum) == 0) {
                tensors.remove(tensor);
            }
        }
        return inputs;
    }

    private Tensor tensor(String name) {
        return Objects.requireNonNull(tensors.get(name), name);
    }

    /** What is wrong with the shapes that came, though their kinds fit; null if nothing is. */
    private static @Nullable String misfit(ModelSignature signature, List<Tensor> inputs) {
        for (int i = 0; i < inputs.size(); i++) {
            TensorSpec spec = signature.inputs().get(i);
            Tensor input = inputs.get(i);
            if (!spec.shape().accepts(input.shape())) {
                return "input '%s' has shape %s, the model takes %s"
                        .formatted(spec.name(), input.shape(), spec.shape());
            }
            if (signature.hasBatchAxis()
                    && input.shape().dimension(0) != inputs.get(0).shape().dimension(0)) {
                return "input '%s' has %d rows, input '%s' has %d"
                        .formatted(
                                spec.name(),
                                input.shape().dimension(0),
                                inputs.get(0).name(),
                                inputs.get(0).shape().dimension(0));
            }
        }
        return null;
    }

    private void fail(Throwable failure) {
        Throwable cause =
                failure instanceof CompletionException && failure.getCause() != null ? failure.getCause() : failure;
        completeExceptionally(cause);
        stop();
    }

    private void stop() {
        List<CompletableFuture<InferenceResult>> running;
        synchronized (this) {
            over = true;
            running = List.copyOf(calls);
            tensors.clear();
        }
        running.forEach(call -> call.cancel(false));
    }
}
