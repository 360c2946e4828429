package io.atelier;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.atelier.core.DataType;
import io.atelier.core.ModelSignature;
import io.atelier.core.ServingException.InvalidInput;
import io.atelier.core.Shape;
import io.atelier.core.Task;
import io.atelier.core.TaskInput;
import io.atelier.core.Tensor;
import io.atelier.core.TensorSpec;
import io.atelier.engine.djl.task.Tasks;
import io.atelier.repository.ModelDefinition;
import io.atelier.repository.ModelRepository;
import io.atelier.testing.TaskModels;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import java.util.zip.Inflater;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Images and {@code preprocessor_config.json} give the model the numbers that Pillow and Hugging Face's own processors give
 * it: {@code reference/nasty/reference.json}, which its own program wrote.
 */
class ImageReferenceTest {
    private static final String FOLDER = "/reference/nasty/";

    /**
     * Decoders of JPEG may round otherwise in the inverse cosine transform and where colours are put between pixels: the
     * standard allows a level in the first, and the way to red, green and blue makes up to two of it.
     */
    private static final int JPEG_LEVELS = 2;

    /** Pillow cuts every level above 255 of its 65536 down to 255, so that nearly all is white; see docs/tasks.md. */
    private static final String WHITE_TO_PILLOW = "grey-16.png";

    private static final String AS_IT_IS = "image: {fit: none, layout: nhwc}";

    @TempDir
    Path root;

    static Stream<String> files() throws Exception {
        return each("images").map(image -> image.get("file").asText());
    }

    @ParameterizedTest
    @MethodSource("files")
    void decodesEveryImageAsPillowDoes(String file) throws Exception {
        JsonNode expected = each("images")
                .filter(image -> image.get("file").asText().equals(file))
                .findFirst()
                .orElseThrow();
        long width = expected.get("width").asLong();
        long height = expected.get("height").asLong();

        Tensor decoded = tensor(file, AS_IT_IS, DataType.UINT8, 1, height, width, 3);

        byte[] levels = new byte[decoded.sizeBytes()];
        decoded.data().get(levels);
        if (file.equals(WHITE_TO_PILLOW)) {
            Tensor eight = tensor("grey.png", AS_IT_IS, DataType.UINT8, 1, height, width, 3);
            assertThat(decoded.data()).isEqualTo(eight.data());
            return;
        }
        assertThat(largestDifference(levels, inflated(expected.get("rgb").asText())))
                .as(file)
                .isLessThanOrEqualTo(file.endsWith("jpg") ? JPEG_LEVELS : 0);
    }

    @Test
    void preparesEveryImageAsTheProcessorOfItsFileDoes() throws Exception {
        for (JsonNode reference : each("tensors").toList()) {
            long[] shape = StreamSupport.stream(reference.get("shape").spliterator(), false)
                    .mapToLong(JsonNode::asLong)
                    .toArray();
            String name = reference.has("config") ? "config" : "preprocessor_config";
            String config = reference.get(name).toString();
            Files.createDirectories(root.resolve("m"));
            Files.deleteIfExists(root.resolve("m/preprocessor_config.json"));
            Files.writeString(root.resolve("m/" + name + ".json"), config);

            Tensor tensor = tensor(reference.get("file").asText(), "", DataType.FP32, -1, -1, -1, -1);

            assertThat(tensor.shape()).as(config).isEqualTo(Shape.of(shape));
            float[] numbers = new float[tensor.sizeBytes() / Float.BYTES];
            tensor.data().asFloatBuffer().get(numbers);
            float[] expected = new float[numbers.length];
            ByteBuffer.wrap(inflated(reference.get("pixel_values").asText()))
                    .order(ByteOrder.LITTLE_ENDIAN)
                    .asFloatBuffer()
                    .get(expected);
            // the reference computes in floats: a few of their last bits at numbers up to 255
            float largest = 0;
            for (int i = 0; i < numbers.length; i++) {
                largest = Math.max(largest, Math.abs(numbers[i] - expected[i]) / (1 + Math.abs(expected[i])));
            }
            assertThat(largest).as("%s %s", reference.get("file"), config).isLessThan(2e-6f);
        }
    }

    @ParameterizedTest
    @MethodSource("files")
    void refusesHalfOfEveryImage(String file) throws Exception {
        byte[] whole = TaskModels.resource(FOLDER + file);
        Task task = task("", DataType.FP32, 1, 3, 8, 8);

        for (int size : new int[] {8, whole.length / 4, whole.length / 2, whole.length - 12}) {
            TaskInput half = new TaskInput.Image(ByteBuffer.wrap(whole, 0, size));
            assertThatThrownBy(() -> task.prepare(List.of(half), 1))
                    .as("%d bytes of %s", size, file)
                    .isInstanceOf(InvalidInput.class)
                    .hasMessageStartingWith("the image is ");
        }
    }

    /** What the model gets of an image. */
    private Tensor tensor(String file, String image, DataType type, long... shape) throws Exception {
        TaskInput input = new TaskInput.Image(ByteBuffer.wrap(TaskModels.resource(FOLDER + file)));
        return task(image, type, shape)
                .prepare(List.of(input), 1)
                .get(0)
                .inputs()
                .get(0);
    }

    private Task task(String image, DataType type, long... shape) throws Exception {
        Files.createDirectories(root.resolve("m/1"));
        Files.write(root.resolve("m/1/model.onnx"), new byte[] {1});
        Files.writeString(root.resolve("m/model.yaml"), "task: {name: image-classification, " + image + "}");
        ModelRepository.Scan scan = new ModelRepository(root).scan();
        assertThat(scan.broken()).isEmpty();
        ModelDefinition model = scan.models().get(0);
        ModelSignature signature = new ModelSignature(
                List.of(new TensorSpec("pixel_values", type, Shape.of(shape))),
                List.of(new TensorSpec("logits", DataType.FP32, Shape.of(-1, 2))));
        return Tasks.load(model.config().task().orElseThrow(), model.folder(), signature);
    }

    private static Stream<JsonNode> each(String key) throws Exception {
        JsonNode reference = JsonMapper.builder().build().readTree(TaskModels.resource(FOLDER + "reference.json"));
        return StreamSupport.stream(reference.get(key).spliterator(), false);
    }

    private static byte[] inflated(String encoded) throws Exception {
        Inflater inflater = new Inflater();
        try {
            inflater.setInput(Base64.getDecoder().decode(encoded));
            byte[] bytes = new byte[1 << 20];
            int size = inflater.inflate(bytes);
            return Arrays.copyOf(bytes, size);
        } finally {
            inflater.end();
        }
    }

    private static int largestDifference(byte[] actual, byte[] expected) {
        assertThat(actual).hasSameSizeAs(expected);
        int largest = 0;
        for (int i = 0; i < actual.length; i++) {
            largest = Math.max(largest, Math.abs((actual[i] & 0xFF) - (expected[i] & 0xFF)));
        }
        return largest;
    }
}
