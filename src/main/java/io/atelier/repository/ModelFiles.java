package io.atelier.repository;

import io.atelier.engine.TaskConfig;
import java.io.IOException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Finds the file of a model in its folder: the one that the configuration names, else the one with the usual name, else
 * the only one there is. The Hub's repositories keep theirs in {@code onnx}, beside variants of other types.
 */
final class ModelFiles {
    private static final String ONNX_FOLDER = "onnx";
    private static final String ONNX_SUFFIX = ".onnx";

    private ModelFiles() {}

    /**
     * A model file.
     *
     * @param path   beneath the folder that was searched, with slashes
     * @param source why it is this one, for people
     */
    record Found(String path, ModelFormat format, String source) {
        boolean isUsual() {
            return path.equals(format.fileName());
        }
    }

    /** Whether a name leads to a file in a folder or in a folder beneath it, and nowhere else. */
    static boolean isPath(String name) {
        return Arrays.stream(name.split("/", -1)).allMatch(TaskConfig::isFileName);
    }

    /** Whether model files lie in this folder as the Hub has them. */
    static boolean lieIn(Path folder) throws IOException {
        return !candidates(folder).isEmpty() || Files.isRegularFile(folder.resolve(ModelFormat.TORCHSCRIPT.fileName()));
    }

    /**
     * The file to serve.
     *
     * @param file   what the configuration names; empty where it names none
     * @param format what the configuration says of it; empty where it says nothing
     * @throws ModelConfigException if there is none, or several from which nobody chose
     */
    static Found find(Path folder, Optional<String> file, Optional<ModelFormat> format)
            throws IOException, ModelConfigException {
        List<String> candidates = candidates(folder);
        if (file.isPresent()) {
            return named(folder, file.get(), format, candidates);
        }
        List<Found> usual = Stream.of(ModelFormat.values())
                .filter(kind -> format.isEmpty() || format.get() == kind)
                .filter(kind -> Files.isRegularFile(folder.resolve(kind.fileName())))
                .map(kind -> new Found(kind.fileName(), kind, "the usual name"))
                .toList();
        if (usual.size() > 1) {
            throw new ModelConfigException("has both model.onnx and model.pt, allowed is one");
        }
        String inOnnx = ONNX_FOLDER + "/" + ModelFormat.ONNX.fileName();
        if (candidates.contains(inOnnx) && format.orElse(ModelFormat.ONNX) == ModelFormat.ONNX) {
            return new Found(inOnnx, ModelFormat.ONNX, "the usual name");
        }
        if (!usual.isEmpty()) {
            return usual.get(0);
        }
        if (candidates.isEmpty() || format.orElse(ModelFormat.ONNX) != ModelFormat.ONNX) {
            throw new ModelConfigException(
                    "has no " + format.map(ModelFormat::fileName).orElse("model.onnx and no model.pt"));
        }
        if (candidates.size() > 1) {
            throw new ModelConfigException(
                    "has several model files, name one as file in model.yaml: " + String.join(", ", candidates));
        }
        return new Found(candidates.get(0), ModelFormat.ONNX, "the only model file");
    }

    private static Found named(Path folder, String file, Optional<ModelFormat> format, List<String> candidates)
            throws ModelConfigException {
        if (!Files.isRegularFile(folder.resolve(file))) {
            throw new ModelConfigException("has no " + file
                    + (candidates.isEmpty() ? "" : ", model files there are: " + String.join(", ", candidates)));
        }
        ModelFormat kind = file.endsWith(".pt") ? ModelFormat.TORCHSCRIPT : ModelFormat.ONNX;
        return new Found(file, format.orElse(kind), "its configuration");
    }

    private static List<String> candidates(Path folder) throws IOException {
        List<String> candidates = new ArrayList<>(onnxFiles(folder, ""));
        Path below = folder.resolve(ONNX_FOLDER);
        if (Files.isDirectory(below)) {
            candidates.addAll(onnxFiles(below, ONNX_FOLDER + "/"));
        }
        return candidates;
    }

    /** The names of the ONNX files right in a folder, in order. */
    static List<String> onnxFiles(Path folder, String prefix) throws IOException {
        List<String> names = new ArrayList<>();
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(folder)) {
            for (Path entry : entries) {
                String name = String.valueOf(entry.getFileName());
                if (name.endsWith(ONNX_SUFFIX) && !name.startsWith(".") && Files.isRegularFile(entry)) {
                    names.add(prefix + name);
                }
            }
        } catch (DirectoryIteratorException e) {
            throw e.getCause();
        }
        names.sort(null);
        return names;
    }
}
