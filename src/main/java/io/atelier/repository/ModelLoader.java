package io.atelier.repository;

import io.atelier.core.DeviceId;
import io.atelier.core.Sharing;
import io.atelier.core.Tensor;
import io.atelier.core.Ticker;
import io.atelier.engine.Engine;
import io.atelier.engine.GoldenSample;
import io.atelier.engine.ModelInstance;
import io.atelier.engine.ModelLoadException;
import io.atelier.engine.ModelSource;
import io.atelier.engine.TaskConfig.OfText;
import io.atelier.engine.Tolerance;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;

/**
 * Loads model versions: makes them resident, checks what the folder says against what the file holds, runs them before
 * anybody waits for an answer, and shows whether their requests may share executions. Thread-safe; devices load side by
 * side.
 */
public final class ModelLoader {
    private final Engine engine;
    private final Duration warmUpLimit;
    private final Ticker ticker;

    /** @param warmUpLimit how long the executions of one load may take on a device; what runs then is ended */
    public ModelLoader(Engine engine, Duration warmUpLimit, Ticker ticker) {
        this.engine = engine;
        this.warmUpLimit = warmUpLimit;
        this.ticker = ticker;
    }

    /** When a device has room for an execution that is no request's. */
    @FunctionalInterface
    public interface Turn {
        /** Runs the execution, when it can, on whichever thread. */
        CompletionStage<List<List<Tensor>>> run(Supplier<CompletionStage<List<List<Tensor>>>> execution);
    }

    /**
     * Loads a model version onto a device and warms it up, on the calling thread, which has to be one that may touch the
     * device. Waits for the warm-up's executions to return truly, even if interrupted: to close a model under a run
     * crashes native engines.
     *
     * @param maxBatchSize most rows of a batch; at least 1
     * @param concurrency  executions that may run at once on the device; at least 1
     * @param turn         runs the warm-up's executions
     * @throws ModelLoadException if the version cannot be served; nothing of it is left on the device
     */
    public LoadedModel load(ModelDefinition definition, DeviceId device, int maxBatchSize, int concurrency, Turn turn)
            throws ModelLoadException {
        if (maxBatchSize < 1 || concurrency < 1) {
            throw new IllegalArgumentException(
                    "a batch of " + maxBatchSize + " rows, " + concurrency + " executions at once");
        }
        ModelSource source = new ModelSource(
                definition.id(),
                definition.file(),
                definition.config().batching().padding(),
                concurrency,
                definition.config().signature());
        long started = ticker.nanoTime();
        ModelInstance resident = engine.load(source, device);
        boolean usable = false;
        try {
            long loaded = ticker.nanoTime();
            ModelInstance instance = DeclarationCheck.show(definition.config().declaration(), resident);
            ModelDefinition fitting = Inferred.fitted(definition, instance.signature());
            ModelConfig config = fitting.config();
            SignatureCheck.require(config, instance.signature());
            long checked = ticker.nanoTime();
            Executions executions = new Executions(instance, turn, warmUpLimit, ticker);
            WarmUp warmUp = new WarmUp(config, instance, executions);
            Optional<GoldenSample> sample = config.golden().isPresent()
                    ? Optional.of(warmUp.golden(definition, config.golden().get(), instance))
                    : Optional.empty();
            Optional<List<Tensor>> row = warmUp.given(definition, instance);
            Optional<MadeUpInputs.Attempt> attempt = warmUp.run();
            if (config.task().orElse(null) instanceof OfText text && attempt.isPresent()) {
                int asked = text.text().maxTokens();
                fitting = fitting.withMaxTokens(new LongestText(instance.signature(), executions).atMost(asked));
            }
            Optional<GoldenSample> golden =
                    sample.isPresent() || attempt.isEmpty() ? sample : warmUp.recorded(attempt.get());
            long warm = ticker.nanoTime();
            Sharing sharing = new BatchProof(config, instance, executions, Tolerance.on(device), maxBatchSize)
                    .run(
                            attempt,
                            sample.map(GoldenSample::inputs)
                                    .filter(WarmUp::isOneRow)
                                    .or(() -> row));
            long proved = ticker.nanoTime();
            usable = true;
            return new LoadedModel(
                    fitting,
                    instance,
                    golden.orElse(null),
                    sharing,
                    warmUp.warning(),
                    executions.fastestNanos(),
                    Duration.ofNanos(loaded - started),
                    Duration.ofNanos(warm - checked),
                    Duration.ofNanos(proved - warm));
        } finally {
            if (!usable) {
                resident.close();
            }
        }
    }
}
