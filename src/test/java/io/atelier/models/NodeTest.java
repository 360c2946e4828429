package io.atelier.models;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/**
 * One of ONNX's backend tests: a folder with a model and sets of inputs.
 *
 * @param name its folder, with the kind of test: {@code node/test_abs}
 */
record NodeTest(String name, Path model) {

    /** All that are under this folder and have a model, in the order of their names. */
    static List<NodeTest> under(Path data) throws IOException {
        try (Stream<Path> files = Files.walk(data, 3)) {
            return files.filter(file -> file.getFileName().toString().equals("model.onnx"))
                    .sorted()
                    .map(file -> new NodeTest(
                            data.relativize(file.resolveSibling("")).toString(), file))
                    .toList();
        }
    }

    byte[] bytes() throws IOException {
        return Files.readAllBytes(model);
    }

    /** For each set its inputs: files of TensorProto, or of what the model declares instead. */
    List<List<byte[]>> sets() throws IOException {
        List<List<byte[]>> sets = new ArrayList<>();
        for (int set = 0; Files.exists(folder(set)); set++) {
            List<byte[]> inputs = new ArrayList<>();
            for (int i = 0; Files.exists(file(set, i)); i++) {
                inputs.add(Files.readAllBytes(file(set, i)));
            }
            sets.add(inputs);
        }
        return sets;
    }

    private Path folder(int set) {
        return model.resolveSibling("test_data_set_" + set);
    }

    private Path file(int set, int input) {
        return folder(set).resolve("input_" + input + ".pb");
    }
}
