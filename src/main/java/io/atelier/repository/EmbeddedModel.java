package io.atelier.repository;

import io.atelier.engine.TaskConfig;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.Arrays;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The model that is served when no repository is configured: all-MiniLM-L6-v2, which travels inside the application and
 * is unpacked into an ordinary repository. Its files are resources, which a native image has to include.
 */
public final class EmbeddedModel {
    /** Name of the model. */
    public static final String NAME = "minilm";

    private static final Map<String, String> RESOURCES = Map.of(
            "1/" + ModelFormat.ONNX.fileName(),
            "/all-minilm-l6-v2-q.onnx",
            TaskConfig.OfText.DEFAULT_TOKENIZER,
            "/all-minilm-l6-v2-q-tokenizer.json",
            ModelYaml.FILE_NAME,
            "/io/atelier/repository/minilm.yaml");

    private EmbeddedModel() {}

    /**
     * Makes sure that the model lies in this repository, and only as a whole: it is unpacked under a hidden name, then
     * renamed. What is there and the same is left alone; what differs, such as an older release's, is replaced.
     *
     * @param repository the repository's folder; created if it is not there
     * @throws ModelRepositoryException if the folder cannot be written, or this build has no embedded model
     */
    public static void unpackInto(Path repository) throws ModelRepositoryException {
        try {
            Path target = repository.resolve(NAME);
            if (isUnpacked(target)) {
                return;
            }
            Files.createDirectories(repository);
            Path work = Files.createTempDirectory(repository, "." + NAME + "-");
            try {
                for (Map.Entry<String, String> entry : RESOURCES.entrySet()) {
                    Path file = work.resolve("new").resolve(entry.getKey());
                    Files.createDirectories(file.getParent());
                    try (InputStream resource = open(entry.getValue())) {
                        Files.copy(resource, file);
                    }
                }
                replace(target, work);
            } finally {
                delete(work);
            }
        } catch (IOException e) {
            throw new ModelRepositoryException(
                    "the embedded model cannot be unpacked: " + ModelRepositoryException.problem(e), e);
        }
    }

    private static void replace(Path target, Path work) throws IOException, ModelRepositoryException {
        if (Files.exists(target)) {
            move(target, work.resolve("old"));
        }
        try {
            move(work.resolve("new"), target);
        } catch (IOException e) {
            if (!isUnpacked(target)) { // else another process was faster, with the same files
                throw e;
            }
        }
    }

    private static void move(Path from, Path to) throws IOException {
        try {
            Files.move(from, to, StandardCopyOption.ATOMIC_MOVE);
        } catch (AtomicMoveNotSupportedException e) {
            Files.move(from, to);
        }
    }

    private static boolean isUnpacked(Path target) throws IOException, ModelRepositoryException {
        for (Map.Entry<String, String> entry : RESOURCES.entrySet()) {
            Path file = target.resolve(entry.getKey());
            if (!Files.isRegularFile(file)) {
                return false;
            }
            try (InputStream expected = open(entry.getValue());
                    InputStream actual = Files.newInputStream(file)) {
                if (!sameBytes(expected, actual)) {
                    return false;
                }
            }
        }
        return true;
    }

    private static boolean sameBytes(InputStream expected, InputStream actual) throws IOException {
        while (true) {
            byte[] one = expected.readNBytes(1 << 16);
            if (!Arrays.equals(one, actual.readNBytes(1 << 16))) {
                return false;
            }
            if (one.length == 0) {
                return true;
            }
        }
    }

    private static InputStream open(String resource) throws ModelRepositoryException {
        InputStream stream = EmbeddedModel.class.getResourceAsStream(resource);
        if (stream == null) {
            throw new ModelRepositoryException("this build has no embedded model: " + resource + " is missing", null);
        }
        return stream;
    }

    private static void delete(Path folder) throws IOException {
        Files.walkFileTree(folder, new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
                Files.delete(file);
                return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult postVisitDirectory(Path visited, @Nullable IOException failure) throws IOException {
                if (failure != null) {
                    throw failure;
                }
                Files.delete(visited);
                return FileVisitResult.CONTINUE;
            }
        });
    }
}
