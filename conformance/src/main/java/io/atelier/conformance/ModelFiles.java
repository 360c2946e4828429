package io.atelier.conformance;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * The models that the checks need, as files in Triton's layout: an identity of each datatype and {@code add}. OpenVINO
 * Model Server finds the same folders through {@code ovms.json}.
 */
public final class ModelFiles {
    private static final int MAX_BATCH_SIZE = 16;
    private static final String FOLDER_OF_OVMS = "/models";

    private ModelFiles() {}

    /** Contents by their paths below the repository. */
    public static Map<String, byte[]> all() {
        Map<String, byte[]> files = new TreeMap<>();
        for (Datatype type : Datatype.values()) {
            String name = "identity_" + type.word();
            files.put(name + "/1/model.onnx", OnnxGraph.identity(type));
            files.put(name + "/config.pbtxt", config(name, type, 1, "-1"));
        }
        files.put("add/1/model.onnx", OnnxGraph.add(Examples.WIDTH));
        files.put("add/config.pbtxt", config("add", Datatype.INT32, 2, Integer.toString(Examples.WIDTH)));
        files.put(
                "ovms.json",
                ovms(files.keySet().stream()
                        .filter(path -> path.endsWith(".onnx"))
                        .map(path -> path.substring(0, path.indexOf('/')))
                        .toList()));
        return files;
    }

    /** Writes them below a folder. */
    public static void writeTo(Path folder) throws IOException {
        for (Map.Entry<String, byte[]> file : all().entrySet()) {
            Path path = folder.resolve(file.getKey());
            Files.createDirectories(path.resolveSibling(""));
            Files.write(path, file.getValue());
        }
    }

    private static byte[] config(String name, Datatype type, int tensors, String dimension) {
        StringBuilder text = new StringBuilder("""
                name: "%s"
                platform: "onnxruntime_onnx"
                max_batch_size: %d
                """.formatted(name, MAX_BATCH_SIZE));
        for (String side : List.of("input", "output")) {
            for (int i = 0; i < tensors; i++) {
                text.append("""
                        %s [
                          { name: "%s%d" data_type: TYPE_%s dims: [ %s ] }
                        ]
                        """.formatted(
                        side, side.toUpperCase(Locale.ROOT), i, type == Datatype.BYTES ? "STRING" : type, dimension));
            }
        }
        return text.toString().getBytes(UTF_8);
    }

    private static byte[] ovms(List<String> names) {
        return names.stream()
                .map(name -> "    {\"config\": {\"name\": \"%s\", \"base_path\": \"%s/%s\"}}"
                        .formatted(name, FOLDER_OF_OVMS, name))
                .collect(Collectors.joining(",\n", "{\n  \"model_config_list\": [\n", "\n  ]\n}\n"))
                .getBytes(UTF_8);
    }
}
