package io.atelier.testing;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.atelier.conformance.ModelFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** The models of the integration tests: each test class tells which are its own. As a program it writes them. */
public final class SuiteModels {
    private static final long SLOW_ROUNDS = 4000;

    /** As ONNX numbers them. */
    private static final long INT32 = 6;

    private static final long INT64 = 7;

    private SuiteModels() {}

    /** Writes them into the folder that it is given. */
    public static void main(String... arguments) throws Exception {
        System.out.println(write(Path.of(arguments[0])));
    }

    /** Writes them into this folder, which is made. */
    public static Path write(Path root) throws Exception {
        Files.createDirectories(root);
        TaskModels.write(root);
        for (String type : List.of("FP32", "FP64", "INT8", "UINT8", "INT16", "INT32", "INT64", "BOOL", "BYTES")) {
            model(root, type, OnnxModelWriter.identity(type, "batch", 2), "");
        }
        model(root, "BYTES3", OnnxModelWriter.identity("BYTES", "batch", 2, 1), "");
        model(root, "table", table(), "");
        model(root, "slow_table", slowTable(), "");
        model(root, "loop", loop(), "batching: {max-queue-size: 1}\ninstances: 1\n");
        model(root, "broken", "not a model".getBytes(UTF_8), "");
        model(root, "misspelt", OnnxModelWriter.add("batch", 2), "batchin: {}\n");

        model(root, "echo", echo(), "batching: {max-batch-size: 8}\n");
        model(root, "single", same("x", "FP32", "batch", 2), "batching: {max-batch-size: 8}\n");
        model(root, "texts", same("t", "BYTES", "batch"), "batching: {max-batch-size: 8}\n");
        model(root, "fixed", same("x", "INT8", 2), "");
        model(root, "half", same("x", "FP16", "batch"), "batching: {max-batch-size: 8}\n");

        for (String name : EnsembleModels.PLAIN) {
            model(root, name, addOne(), "");
        }
        for (Map.Entry<String, String> file : EnsembleModels.FILES.entrySet()) {
            Path path = root.resolve(file.getKey());
            Files.createDirectories(path.resolveSibling(""));
            Files.writeString(path, file.getValue());
        }

        model(root, "simple", OnnxModelWriter.add("batch", 16), "");
        model(root, "simple_identity", OnnxModelWriter.identity("BYTES", "batch", 16), "");
        ModelFiles.writeTo(root);
        model(root, "slow_add", slowAdd(), "batching: {max-batch-size: 1, max-queue-size: 2}\ninstances: 1\n");
        return root;
    }

    /** Fails for an index that is not in its table. */
    private static byte[] table() {
        return new OnnxModelWriter()
                .input("INPUT0", "INT64", "batch", 1)
                .floats("table", List.of(3), 0.5f, 1.5f, 2.5f)
                .node("Gather", List.of("table", "INPUT0"), List.of("OUTPUT0"))
                .output("OUTPUT0", "FLOAT", "batch", 1)
                .toBytes();
    }

    /** Takes as long as its input says. */
    private static byte[] loop() {
        return new OnnxModelWriter()
                .input("INPUT0", "INT64", 1)
                .floats("weights", List.of(64, 64), new float[64 * 64])
                .nodeWithGraph("Loop", List.of("INPUT0", "", "weights"), List.of("OUTPUT0"), "body", round())
                .output("OUTPUT0", "FLOAT", 64, 64)
                .toBytes();
    }

    /** A round of a loop: multiplies matrices of zeros. */
    private static OnnxModelWriter round() {
        return new OnnxModelWriter()
                .input("round", "INT64")
                .input("goes_on", "BOOL")
                .input("before", "FLOAT", 64, 64)
                .node("Identity", List.of("goes_on"), List.of("goes_on_after"))
                .node("MatMul", List.of("before", "weights"), List.of("after"))
                .output("goes_on_after", "BOOL")
                .output("after", "FLOAT", 64, 64);
    }

    /** As {@link #table}, but a tenth of a second later. */
    private static byte[] slowTable() {
        return new OnnxModelWriter()
                .input("INPUT0", "INT64", "batch", 1)
                .int64s("rounds", List.of(1), SLOW_ROUNDS)
                .floats("weights", List.of(64, 64), new float[64 * 64])
                .floats("table", List.of(3), 0.5f, 1.5f, 2.5f)
                .nodeWithGraph("Loop", List.of("rounds", "", "weights"), List.of("zeros"), "body", round())
                .node("ReduceMax", List.of("zeros"), List.of("zero"), Map.of("keepdims", 0L))
                .node("Cast", List.of("zero"), List.of("nothing"), Map.of("to", INT64))
                .node("Add", List.of("INPUT0", "nothing"), List.of("index"))
                .node("Gather", List.of("table", "index"), List.of("OUTPUT0"))
                .output("OUTPUT0", "FLOAT", "batch", 1)
                .toBytes();
    }

    /** Adds and subtracts as the conformance suite's {@code add}, and nothing that takes a tenth of a second. */
    private static byte[] slowAdd() {
        return new OnnxModelWriter()
                .input("INPUT0", "INT32", "batch", 16)
                .input("INPUT1", "INT32", "batch", 16)
                .int64s("rounds", List.of(1), SLOW_ROUNDS)
                .floats("weights", List.of(64, 64), new float[64 * 64])
                .nodeWithGraph("Loop", List.of("rounds", "", "weights"), List.of("zeros"), "body", round())
                .node("ReduceMax", List.of("zeros"), List.of("zero"), Map.of("keepdims", 0L))
                .node("Cast", List.of("zero"), List.of("nothing"), Map.of("to", INT32))
                .node("Add", List.of("INPUT0", "nothing"), List.of("first"))
                .node("Add", List.of("first", "INPUT1"), List.of("OUTPUT0"))
                .node("Sub", List.of("first", "INPUT1"), List.of("OUTPUT1"))
                .output("OUTPUT0", "INT32", "batch", 16)
                .output("OUTPUT1", "INT32", "batch", 16)
                .toBytes();
    }

    /** Returns its two inputs, rows of any width, under their own names. */
    private static byte[] echo() {
        return new OnnxModelWriter()
                .input("x", "FP32", "batch", "width")
                .input("y", "INT64", "batch", "other")
                .output("x", "FP32", "batch", "width")
                .output("y", "INT64", "batch", "other")
                .toBytes();
    }

    /** Returns its input under its own name. */
    private static byte[] same(String name, String type, Object... dims) {
        return new OnnxModelWriter()
                .input(name, type, dims)
                .output(name, type, dims)
                .toBytes();
    }

    private static byte[] addOne() {
        return new OnnxModelWriter()
                .input("x", "FLOAT", "rows", "columns")
                .floats("one", List.of(1), 1)
                .node("Add", List.of("x", "one"), List.of("y"))
                .output("y", "FLOAT", "rows", "columns")
                .toBytes();
    }

    private static void model(Path root, String name, byte[] onnx, String yaml) throws IOException {
        Path folder = Files.createDirectories(root.resolve(name));
        Files.writeString(folder.resolve("model.yaml"), yaml);
        Files.write(Files.createDirectories(folder.resolve("1")).resolve("model.onnx"), onnx);
    }
}
