package io.atelier.testing;

import io.atelier.repository.EmbeddedModel;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * A repository with a model for each task: {@code minilm} (embedding), {@code mood} (text classification),
 * {@code angle} (image classification, a real model), {@code eyes} (object detection), {@code adder} (none), and
 * {@code wrong}, whose labels are not those of its classes.
 */
public final class TaskModels {
    /** Words, by their ids. */
    private static final String TOKENIZER = """
            {"version": "1.0", "truncation": null, "padding": null, "added_tokens": [],
             "normalizer": {"type": "Lowercase"}, "pre_tokenizer": {"type": "Whitespace"},
             "post_processor": null, "decoder": null,
             "model": {"type": "WordLevel", "unk_token": "[UNK]",
                       "vocab": {"[UNK]": 0, "good": 1, "bad": 2, "film": 3}}}""";

    /** Centres across and down, widths, heights, scores of cats and of dogs. */
    private static final float[] BOXES = {
        16, 17, 8, // across
        16, 16, 24, // down
        8, 8, 4, 8, 8, 4, 0.9f, 0.8f, 0, 0, 0, 0.6f
    };

    private TaskModels() {}

    /** Writes it into this folder. */
    public static Path write(Path root) throws Exception {
        EmbeddedModel.unpackInto(root);
        mood(root);
        angle(root);
        write(root, "eyes", boxes(), """
                task: {name: object-detection, format: yolov8, labels: labels.txt}""");
        Files.writeString(root.resolve("eyes/labels.txt"), "cat\ndog\n");
        write(root, "adder", OnnxModelWriter.add("batch", 2), "");
        ofWords(root, "wrong", "task: {name: text-classification, labels: [a, b, c]}");
        return root;
    }

    /** Writes those that answer in no time: {@code mood}, {@code angle}, and {@code worth}, an embedding of two numbers. */
    public static Path writeSmall(Path root) throws IOException {
        mood(root);
        angle(root);
        ofWords(root, "worth", """
                task: text-embedding
                batching: {padding: {values: {input_ids: 0}}}""");
        return root;
    }

    private static void mood(Path root) throws IOException {
        ofWords(root, "mood", """
                task: text-classification
                batching: {padding: {values: {input_ids: 0}}}""");
        Files.writeString(
                root.resolve("mood/config.json"), "{\"id2label\": {\"0\": \"negative\", \"1\": \"positive\"}}");
    }

    private static void angle(Path root) throws IOException {
        write(root, "angle", resource("/models/angle/1/model.onnx"), text("/models/angle/model.yaml"));
    }

    private static void ofWords(Path root, String model, String yaml) throws IOException {
        write(root, model, words(), yaml);
        Files.writeString(root.resolve(model).resolve("tokenizer.json"), TOKENIZER);
    }

    /** A file of the tests' resources. */
    public static byte[] resource(String name) throws IOException {
        try (InputStream file = TaskModels.class.getResourceAsStream(name)) {
            return Objects.requireNonNull(file, name).readAllBytes();
        }
    }

    private static String text(String name) throws IOException {
        return new String(resource(name), StandardCharsets.UTF_8);
    }

    private static void write(Path root, String model, byte[] onnx, String yaml) throws IOException {
        Files.createDirectories(root.resolve(model + "/1"));
        Files.write(root.resolve(model + "/1/model.onnx"), onnx);
        Files.writeString(root.resolve(model + "/model.yaml"), yaml);
    }

    /** The sum of what each word is worth: good is (-1, 2), bad is (2, -1), film is (0.5, 0.5), others are nothing. */
    private static byte[] words() {
        return new OnnxModelWriter()
                .input("input_ids", "INT64", "batch", "sequence")
                .floats("worth", List.of(4, 2), 0, 0, -1, 2, 2, -1, 0.5f, 0.5f)
                .int64s("axis", List.of(1), 1)
                .node("Gather", List.of("worth", "input_ids"), List.of("each"))
                .node("ReduceSum", List.of("each", "axis"), List.of("logits"), Map.of("keepdims", 0L))
                .output("logits", "FLOAT", "batch", 2)
                .toBytes();
    }

    /**
     * Three boxes on 32 by 32 pixels, whatever the image, their numbers multiplied by its brightest pixel: two cats that
     * overlap, and a dog.
     */
    private static byte[] boxes() {
        return new OnnxModelWriter()
                .input("image", "FLOAT", "batch", 3, 32, 32)
                .floats("boxes", List.of(6, 3), BOXES)
                .floats("three", List.of(1), 3)
                .int64s("channels", List.of(2), 1, 2)
                .int64s("last", List.of(1), 2)
                .node("GlobalMaxPool", List.of("image"), List.of("brightest"))
                .node("ReduceSum", List.of("brightest", "channels"), List.of("sum"), Map.of("keepdims", 0L))
                .node("Unsqueeze", List.of("sum", "last"), List.of("column"))
                .node("Div", List.of("column", "three"), List.of("brightness"))
                .node("Mul", List.of("brightness", "boxes"), List.of("found"))
                .output("found", "FLOAT", "batch", 6, 3)
                .toBytes();
    }
}
