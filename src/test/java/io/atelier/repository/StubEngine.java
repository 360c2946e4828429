package io.atelier.repository;

import io.atelier.core.DataType;
import io.atelier.core.DeviceId;
import io.atelier.core.ModelSignature;
import io.atelier.core.Shape;
import io.atelier.core.Sharing;
import io.atelier.core.Task;
import io.atelier.core.Tensor;
import io.atelier.core.Ticker;
import io.atelier.engine.Engine;
import io.atelier.engine.EngineBatch;
import io.atelier.engine.ModelInstance;
import io.atelier.engine.ModelLoadException;
import io.atelier.engine.ModelSource;
import io.atelier.engine.TaskConfig;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;

/** An engine with one model, which answers with one number for each output; its clock moves only as it works. */
final class StubEngine implements Engine {
    static final Duration LOAD_TIME = Duration.ofSeconds(3);
    static final Duration RUN_TIME = Duration.ofMillis(20);

    final List<ModelSource> loads = new ArrayList<>();
    final List<EngineBatch> runs = new ArrayList<>();
    int closed;
    boolean canBatch = true;
    Function<EngineBatch, CompletionStage<List<List<Tensor>>>> answer = StubEngine::oneNumberForEachOutput;

    private final ModelSignature signature;
    private long nanos = Long.MAX_VALUE; // tickers may overflow

    StubEngine(ModelSignature signature) {
        this.signature = signature;
    }

    Ticker ticker() {
        return () -> nanos;
    }

    @Override
    public String description() {
        return "stub";
    }

    @Override
    public int gpuCount() {
        return 0;
    }

    @Override
    public ModelInstance load(ModelSource source, DeviceId device) {
        loads.add(source);
        nanos += LOAD_TIME.toNanos();
        return new ModelInstance() {
            @Override
            public ModelSignature signature() {
                return signature;
            }

            @Override
            public Sharing sharing() {
                return canBatch ? Sharing.rows("") : Sharing.none("the stub does not");
            }

            @Override
            public CompletionStage<List<List<Tensor>>> run(EngineBatch batch) {
                runs.add(batch);
                nanos += RUN_TIME.toNanos();
                return answer.apply(batch);
            }

            @Override
            public void close() {
                closed++;
            }
        };
    }

    @Override
    public Task loadTask(TaskConfig task, Path folder, ModelSignature signature) throws ModelLoadException {
        throw new ModelLoadException("the stub has no tasks");
    }

    static CompletionStage<List<List<Tensor>>> oneNumberForEachOutput(EngineBatch batch) {
        List<Tensor> outputs = batch.outputs().stream()
                .map(name -> new Tensor(name, DataType.FP32, Shape.of(1, 1), ByteBuffer.allocate(4)))
                .toList();
        return CompletableFuture.completedStage(
                Collections.nCopies(batch.requests().size(), outputs));
    }
}
