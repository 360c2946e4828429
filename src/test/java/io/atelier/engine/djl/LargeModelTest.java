package io.atelier.engine.djl;

import static org.assertj.core.api.Assertions.assertThat;

import io.atelier.core.DataType;
import io.atelier.core.DeviceId;
import io.atelier.core.ModelId;
import io.atelier.core.Padding;
import io.atelier.core.Shape;
import io.atelier.core.Tensor;
import io.atelier.engine.EngineBatch;
import io.atelier.engine.ModelInstance;
import io.atelier.engine.ModelSource;
import io.atelier.testing.OnnxModelWriter;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A model that is several times as large as the heap, in a process of its own. */
class LargeModelTest {
    private static final int MIB = 1 << 20;
    private static final int SIZE_MIB = 200;
    private static final int HEAP_MIB = 40;
    private static final int DOC_STRING = 6 << 3 | 2;

    @TempDir
    Path folder;

    @Test
    void aModelThatIsLargerThanTheHeapIsLoaded() throws Exception {
        byte[] model = OnnxModelWriter.identity("FP32", "batch", 3);

        assertThat(loaded(large(model), "-")).endsWith("loaded, batches: true");
    }

    @Test
    void aModelThatIsLargerThanTheHeapIsRewritten() throws Exception {
        byte[] model = new OnnxModelWriter()
                .input("x", "FLOAT", "batch", "sequence", 2)
                .input("mask", "INT64", "batch", "sequence")
                .output("y", "FLOAT", "batch", "sequence", 3)
                .bytes("w", "INT8", List.of(2, 3), 1, 2, 3, 4, 5, 6)
                .floats("w_scale", List.of(), 0.5f)
                .node("DynamicQuantizeLinear", List.of("x"), List.of("quantized", "scale", "zero_point"))
                .node("MatMulInteger", List.of("quantized", "w", "zero_point"), List.of("product"))
                .node("Cast", List.of("product"), List.of("cast"), Map.of("to", 1L))
                .node("Mul", List.of("scale", "w_scale"), List.of("scales"))
                .node("Mul", List.of("cast", "scales"), List.of("y"))
                .toBytes();

        assertThat(loaded(large(model), "mask")).endsWith("loaded, batches: true");
    }

    /** The model with a text of its own that is large; the file system need not store its zeros. */
    private Path large(byte[] model) throws IOException {
        Path file = folder.resolve("model.onnx");
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
            ByteBuffer head = ByteBuffer.allocate(model.length + 8).put(model).put((byte) DOC_STRING);
            int length = SIZE_MIB * MIB;
            for (int rest = length; rest > 0; rest >>>= 7) {
                head.put((byte) (rest >>> 7 > 0 ? (rest & 0x7f) | 0x80 : rest));
            }
            channel.write(head.flip());
            channel.write(ByteBuffer.allocate(1), channel.position() + length - 1);
        }
        return file;
    }

    private static String loaded(Path file, String mask) throws Exception {
        String classes = System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"));
        Process process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Xmx" + HEAP_MIB + "m",
                        "-cp",
                        classes,
                        Loading.class.getName(),
                        file.toString(),
                        mask)
                .redirectErrorStream(true)
                .start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor(1, TimeUnit.MINUTES)).isTrue();
        return said.strip();
    }

    /** The process that loads the model, and says so. */
    static final class Loading {
        private Loading() {}

        public static void main(String[] arguments) throws Exception {
            Path file = Path.of(arguments[0]);
            Padding padding =
                    arguments[1].equals("-") ? Padding.NONE : new Padding(Map.of("x", 0.0, "mask", 0.0), arguments[1]);
            ModelSource source = new ModelSource(new ModelId("large", "1"), file, padding, 1);
            try (ModelInstance instance = new DjlEngine(new SessionSettings(1, false)).load(source, DeviceId.cpu(0))) {
                List<Tensor> request = instance.signature().inputs().stream()
                        .map(spec -> zeros(spec.name(), spec.dataType(), spec.shape()))
                        .toList();
                List<String> outputs =
                        List.of(instance.signature().outputs().get(0).name());
                instance.run(new EngineBatch(List.of(request, request), outputs, new CompletableFuture<>()))
                        .toCompletableFuture()
                        .join();
                System.out.println("loaded, batches: " + instance.sharing().isAllowed());
            }
        }

        private static Tensor zeros(String name, DataType type, Shape spec) {
            Shape shape = spec;
            for (int axis = 0; axis < shape.rank(); axis++) {
                shape = shape.isDynamic(axis) ? shape.with(axis, 1) : shape;
            }
            int size = (int) shape.elements().orElseThrow() * type.sizeBytes();
            return new Tensor(name, type, shape, ByteBuffer.allocateDirect(size).order(ByteOrder.LITTLE_ENDIAN));
        }
    }
}
