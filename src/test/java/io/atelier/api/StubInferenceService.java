package io.atelier.api;

import io.atelier.core.DataType;
import io.atelier.core.Deadline;
import io.atelier.core.DeviceId;
import io.atelier.core.DeviceState;
import io.atelier.core.InferenceRequest;
import io.atelier.core.InferenceResult;
import io.atelier.core.ModelId;
import io.atelier.core.ModelSignature;
import io.atelier.core.ServingException;
import io.atelier.core.Shape;
import io.atelier.core.Sharing;
import io.atelier.core.TaskAnswer;
import io.atelier.core.TaskInput;
import io.atelier.core.TaskKind;
import io.atelier.core.Tensor;
import io.atelier.core.TensorSpec;
import io.atelier.core.Ticker;
import io.atelier.core.Trace;
import io.atelier.serving.DeviceView;
import io.atelier.serving.InferenceService;
import io.atelier.serving.ModelView;
import io.atelier.serving.Prediction;
import io.atelier.serving.ServingStatus;
import io.quarkus.test.Mock;
import jakarta.inject.Singleton;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** Models that answer as a test says: {@code echo} gives back its inputs, and all it heard is remembered. */
@Mock
@Singleton
public class StubInferenceService implements InferenceService {
    static final Duration MODEL_TIMEOUT = Duration.ofSeconds(5);

    volatile Function<InferenceRequest, CompletableFuture<InferenceResult>> answer = StubInferenceService::echo;
    volatile Function<List<TaskInput>, CompletableFuture<Prediction>> prediction = StubInferenceService::embedding;
    volatile ServingStatus status = new ServingStatus(true, true, true, Map.of("device.cpu:0", "READY"));
    volatile boolean modelReady = true;
    volatile Thread lastThread = Thread.currentThread();
    volatile Duration lastTimeout = Duration.ZERO;

    void reset() {
        answer = StubInferenceService::echo;
        prediction = StubInferenceService::embedding;
        status = new ServingStatus(true, true, true, Map.of("device.cpu:0", "READY"));
        modelReady = true;
    }

    @Override
    public ModelView model(String name, @Nullable String version) {
        if (version != null && !version.equals("1")) {
            throw new ServingException.ModelNotFound(name, version);
        }
        return models().stream()
                .filter(model -> model.id().name().equals(name))
                .findFirst()
                .orElseThrow(() -> new ServingException.ModelNotFound(name, version));
    }

    @Override
    public List<ModelView> models() {
        return List.of(
                view("echo", 8, DataType.FP32, DataType.INT64, null),
                view("embedder", 0, DataType.BYTES, DataType.FP32, TaskKind.TEXT_EMBEDDING),
                view("single", 8, List.of(new TensorSpec("x", DataType.FP32, Shape.of(-1, 2))), null),
                view("texts", 8, List.of(new TensorSpec("t", DataType.BYTES, Shape.of(-1))), null),
                view("fixed", 8, List.of(new TensorSpec("x", DataType.INT8, Shape.of(2))), null),
                view("half", 8, List.of(new TensorSpec("x", DataType.FP16, Shape.of(-1))), null));
    }

    /** Inputs {@code x} and {@code y} of shape [-1,-1], outputs of the same names and types. */
    private ModelView view(String name, int maxBatchSize, DataType first, DataType second, @Nullable TaskKind task) {
        return view(
                name,
                maxBatchSize,
                List.of(new TensorSpec("x", first, Shape.of(-1, -1)), new TensorSpec("y", second, Shape.of(-1, -1))),
                task);
    }

    private ModelView view(String name, int maxBatchSize, List<TensorSpec> specs, @Nullable TaskKind task) {
        return new ModelView(
                new ModelId(name, "1"),
                List.of("1"),
                "onnxruntime_onnx",
                new ModelSignature(specs, specs),
                maxBatchSize,
                maxBatchSize,
                MODEL_TIMEOUT,
                modelReady,
                task,
                Map.of());
    }

    @Override
    public Deadline deadline(Duration timeout) {
        lastTimeout = timeout;
        return Deadline.after(timeout, Ticker.system());
    }

    @Override
    public CompletableFuture<InferenceResult> infer(InferenceRequest request, Deadline deadline) {
        lastThread = Thread.currentThread();
        if (deadline.hasPassed()) {
            return CompletableFuture.failedFuture(new ServingException.DeadlineExceeded("no result in time"));
        }
        return answer.apply(request);
    }

    @Override
    public CompletableFuture<Prediction> predict(
            String model, @Nullable String version, List<TaskInput> values, Deadline deadline, Trace trace) {
        lastThread = Thread.currentThread();
        model(model, version);
        return prediction.apply(values);
    }

    @Override
    public List<DeviceView> devices() {
        return List.of(new DeviceView(
                DeviceId.gpu(0),
                "NVIDIA H100",
                DeviceState.READY,
                "",
                2,
                List.of("gpu-0-0", "gpu-0-1"),
                List.of(new DeviceView.Running(new ModelId("echo", "1"), 3, 5, Duration.ofMillis(250))),
                List.of(new DeviceView.Held(new ModelId("echo", "1"), Sharing.rows("shown at load"))),
                new DeviceView.Counters(10, 1, 30, 50, Duration.ofMillis(1500))));
    }

    @Override
    public ServingStatus status() {
        lastThread = Thread.currentThread();
        return status;
    }

    static CompletableFuture<InferenceResult> echo(InferenceRequest request) {
        List<Tensor> outputs = new ArrayList<>();
        for (String name : request.outputs()) {
            request.inputs().stream()
                    .filter(tensor -> tensor.name().equals(name))
                    .forEach(outputs::add);
        }
        return CompletableFuture.completedFuture(new InferenceResult(request.model(), outputs));
    }

    /** A vector for each text, and as many tokens as it has characters. */
    private static CompletableFuture<Prediction> embedding(List<TaskInput> values) {
        List<TaskAnswer> vectors = new ArrayList<>();
        for (TaskInput value : values) {
            int length = ((TaskInput.Text) value).text().length();
            vectors.add(new TaskAnswer.Embedding(new float[] {length, 0.5f, -1}, length));
        }
        return CompletableFuture.completedFuture(new Prediction(new ModelId("embedder", "1"), vectors));
    }

    static Tensor floats(String name, Shape shape, float... values) {
        ByteBuffer data = ByteBuffer.allocateDirect(values.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        for (float value : values) {
            data.putFloat(value);
        }
        return new Tensor(name, DataType.FP32, shape, data.flip());
    }

    @Override
    public void refused(ServingException reason) {
        // nobody counts
    }
}
