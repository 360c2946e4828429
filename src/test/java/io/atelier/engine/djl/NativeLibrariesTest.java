package io.atelier.engine.djl;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class NativeLibrariesTest {
    private static final List<String> NAMES = List.of("onnxruntime", "onnxruntime4j_jni", "tokenizers", "jnidispatch");
    private static final List<String> PROPERTIES = List.of(
            "onnxruntime.native.path",
            "RUST_LIBRARY_PATH",
            "jna.boot.library.path",
            "jna.library.path",
            "jna.nounpack");

    @TempDir
    Path folder;

    private final Map<String, @Nullable String> before = new HashMap<>();

    @BeforeEach
    void clear() {
        PROPERTIES.forEach(property -> before.put(property, System.clearProperty(property)));
    }

    @AfterEach
    void restore() {
        Properties all = System.getProperties();
        PROPERTIES.forEach(all::remove);
        before.forEach((property, value) -> {
            if (value != null) {
                all.setProperty(property, value);
            }
        });
    }

    @Test
    void sendsEachLoaderToTheFolder() throws Exception {
        for (String name : NAMES) {
            Files.createFile(folder.resolve(System.mapLibraryName(name)));
        }
        System.setProperty("jna.library.path", "elsewhere");

        NativeLibraries.loadFrom(folder);

        assertThat(PROPERTIES)
                .extracting(System::getProperty)
                .containsExactly(
                        folder.toString(),
                        folder.resolve(System.mapLibraryName("tokenizers")).toString(),
                        folder.toString(),
                        "elsewhere",
                        "true");
    }

    @Test
    void namesTheLibraryThatIsMissing() throws Exception {
        Files.createFile(folder.resolve(System.mapLibraryName("onnxruntime")));

        assertThatThrownBy(() -> NativeLibraries.loadFrom(folder))
                .hasMessage("atelier.native-libraries: there is no %s in %s"
                        .formatted(System.mapLibraryName("onnxruntime4j_jni"), folder));
        assertThat(PROPERTIES).extracting(System::getProperty).containsOnlyNulls();
    }
}
