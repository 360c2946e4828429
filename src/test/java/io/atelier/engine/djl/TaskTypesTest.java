package io.atelier.engine.djl;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.atelier.core.DeviceId;
import io.atelier.core.Task;
import io.atelier.core.TaskAnswer;
import io.atelier.core.TaskAnswer.Embedding;
import io.atelier.core.TaskAnswer.Label;
import io.atelier.core.TaskAnswer.Labels;
import io.atelier.core.TaskAnswer.Objects;
import io.atelier.core.TaskInput;
import io.atelier.core.Tensor;
import io.atelier.engine.EngineBatch;
import io.atelier.engine.ModelInstance;
import io.atelier.repository.ModelDefinition;
import io.atelier.repository.ModelRepository;
import io.atelier.testing.Images;
import io.atelier.testing.OnnxModelWriter;
import io.atelier.testing.TaskModels;
import java.awt.Color;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Tasks of models that compute in other types than FP32, on real ONNX Runtime. */
class TaskTypesTest {
    private static final Map<String, Long> ONNX_TYPES =
            Map.of("FP32", 1L, "UINT8", 2L, "INT32", 6L, "INT64", 7L, "FP16", 10L, "FP64", 11L, "BF16", 16L);

    /** BF16 has eight bits, so that a number is off by a 256th of itself at most. */
    private static final double NEAR = 1 / 256.0;

    @TempDir
    Path root;

    private final DjlEngine engine = new DjlEngine(new SessionSettings(1, false));

    @ParameterizedTest
    @CsvSource({"UINT8, FP32, 255", "FP16, FP16, 1", "BF16, BF16, 1", "FP32, FP16, 1", "FP64, FP64, 1", "FP16, FP32, 1"
    })
    void classifiesImagesInTheTypesOfTheModel(String in, String out, double white) throws Exception {
        write("task: {name: image-classification, labels: [red, green, blue], activation: none}", averages(in, out, 3));
        Files.writeString(
                root.resolve("m/preprocessor_config.json"),
                "{\"size\": {\"height\": 8, \"width\": 8}, \"image_mean\": [0, 0, 0], \"image_std\": [1, 1, 1]}");

        List<Label> labels = ((Labels) answer(image(new Color(255, 0, 51)))).labels();

        assertThat(labels).extracting(Label::label).containsExactly("red", "blue", "green");
        assertThat(labels.get(0).score()).isCloseTo(white, within(NEAR * white));
        assertThat(labels.get(1).score()).isCloseTo(0.2 * white, within(NEAR * white));
    }

    @Test
    void takesTheSizeAndTheChannelsThatAModelLeavesOpenFromItsFolder() throws Exception {
        write("task: {name: image-classification, activation: none}", averages("FP32", "FP32", 3));
        Files.writeString(root.resolve("m/config.json"), "{\"image_size\": 20, \"num_channels\": 3}");

        assertThat(inputs(image(Color.WHITE)).get(0)).hasToString("pixel_values:FP32[1,3,20,20]");
        Files.writeString(
                root.resolve("m/preprocessor_config.json"), "{\"size\": 12, \"image_mean\": 0, \"image_std\": 1}");
        assertThat(inputs(image(Color.WHITE)).get(0)).hasToString("pixel_values:FP32[1,3,12,12]");
        Files.delete(root.resolve("m/preprocessor_config.json"));
        Files.writeString(root.resolve("m/config.json"), "{\"image_size\": 28, \"num_channels\": 1}");
        assertThat(inputs(image(Color.WHITE)).get(0)).hasToString("pixel_values:FP32[1,1,28,28]");
    }

    @ParameterizedTest
    @CsvSource({"INT32, FP32", "INT64, FP16", "INT32, BF16", "INT64, FP64"})
    void classifiesTextsInTheTypesOfTheModel(String in, String out) throws Exception {
        write("task: {name: text-classification, activation: none}", words(in, out, true));

        List<Label> labels = ((Labels) answer(new TaskInput.Text("good film good"))).labels();

        assertThat(labels).containsExactly(new Label("1", 4.5), new Label("0", -1.5));
    }

    @ParameterizedTest
    @CsvSource({"INT32, FP32", "INT64, FP16", "INT32, BF16", "INT64, FP64"})
    void embedsTextsInTheTypesOfTheModel(String in, String out) throws Exception {
        write("task: {name: text-embedding, pooling: mean, normalize: false}", words(in, out, false));

        assertThat(((Embedding) answer(new TaskInput.Text("good film"))).vector())
                .containsExactly(-0.25f, 1.25f);
    }

    @ParameterizedTest
    @CsvSource({"FP16", "BF16", "FP64"})
    void findsObjectsInTheTypesOfTheModel(String type) throws Exception {
        write(
                "task: {name: object-detection, format: yolov8, labels: [cat, dog]}",
                new OnnxModelWriter()
                        .input("image", type, 1, 3, 16, 16)
                        .floats("boxes", List.of(1, 6, 1), 8, 8, 4, 4, 0.125f, 0.75f)
                        .node("Cast", List.of("image"), List.of("numbers"), to("FP32"))
                        .node("GlobalMaxPool", List.of("numbers"), List.of("brightest"))
                        .node("ReduceMax", List.of("brightest"), List.of("white"), Map.of("keepdims", 0L))
                        .node("Mul", List.of("boxes", "white"), List.of("found"))
                        .node("Cast", List.of("found"), List.of("typed"), to(type))
                        .output("typed", type, 1, 6, 1)
                        .toBytes());

        Objects objects = (Objects) answer(image(Color.WHITE));

        assertThat(objects.found()).hasSize(1);
        assertThat(objects.found().get(0).label()).isEqualTo("dog");
        assertThat(objects.found().get(0).score()).isEqualTo(0.75);
    }

    private TaskAnswer answer(TaskInput input) throws Exception {
        ModelDefinition model = model();
        try (ModelInstance instance = load(model)) {
            Task task = engine.loadTask(model.config().task().orElseThrow(), model.folder(), instance.signature());
            Task.Part part = task.prepare(List.of(input), 1).get(0);
            List<Tensor> outputs = instance.run(
                            new EngineBatch(List.of(part.inputs()), task.outputs(), new CompletableFuture<>()))
                    .toCompletableFuture()
                    .join()
                    .get(0);
            return part.answers(outputs).get(0);
        }
    }

    private List<Tensor> inputs(TaskInput input) throws Exception {
        ModelDefinition model = model();
        try (ModelInstance instance = load(model)) {
            return engine.loadTask(model.config().task().orElseThrow(), model.folder(), instance.signature())
                    .prepare(List.of(input), 1)
                    .get(0)
                    .inputs();
        }
    }

    private ModelInstance load(ModelDefinition model) throws Exception {
        return engine.load(
                DjlEngineTest.source(model.file(), model.config().batching().padding()), DeviceId.cpu(0));
    }

    private ModelDefinition model() throws Exception {
        ModelRepository.Scan scan = new ModelRepository(root).scan();
        return scan.models().stream()
                .filter(model -> model.id().name().equals("m"))
                .findFirst()
                .orElseThrow(() -> new AssertionError(scan.broken()));
    }

    private void write(String yaml, byte[] onnx) throws Exception {
        TaskModels.write(root);
        Files.createDirectories(root.resolve("m/1"));
        Files.write(root.resolve("m/1/model.onnx"), onnx);
        Files.writeString(root.resolve("m/model.yaml"), yaml);
        Files.copy(root.resolve("mood/tokenizer.json"), root.resolve("m/tokenizer.json"));
    }

    private static TaskInput image(Color colour) {
        return new TaskInput.Image(ByteBuffer.wrap(Images.png(Images.plain(16, 16, colour))));
    }

    private static Map<String, Long> to(String type) {
        return Map.of("to", ONNX_TYPES.get(type));
    }

    /** The average of each channel; every axis has a name, as optimum writes them. */
    private static byte[] averages(String in, String out, int channels) {
        return new OnnxModelWriter()
                .input("pixel_values", in, "batch_size", "num_channels", "height", "width")
                .node("Cast", List.of("pixel_values"), List.of("numbers"), to("FP32"))
                .node("GlobalAveragePool", List.of("numbers"), List.of("average"))
                .node("Flatten", List.of("average"), List.of("flat"))
                .node("Cast", List.of("flat"), List.of("logits"), to(out))
                .output("logits", out, "batch_size", channels)
                .toBytes();
    }

    /** What each word is worth, as in {@link TaskModels}: of each, or the sum. */
    private static byte[] words(String in, String out, boolean summed) {
        OnnxModelWriter model = new OnnxModelWriter()
                .input("input_ids", in, "batch", "sequence")
                .floats("worth", List.of(4, 2), 0, 0, -1, 2, 2, -1, 0.5f, 0.5f)
                .int64s("axis", List.of(1), 1)
                .node("Cast", List.of("input_ids"), List.of("ids"), to("INT64"))
                .node("Gather", List.of("worth", "ids"), List.of("each"));
        if (summed) {
            model.node("ReduceSum", List.of("each", "axis"), List.of("sum"), Map.of("keepdims", 0L));
        }
        model.node("Cast", List.of(summed ? "sum" : "each"), List.of("y"), to(out));
        return (summed ? model.output("y", out, "batch", 2) : model.output("y", out, "batch", "sequence", 2)).toBytes();
    }
}
