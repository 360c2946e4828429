package io.atelier.app;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class NativeExecutableTest {
    @Test
    void hasItsLibrariesBesideIt() {
        assertThat(NativeExecutable.librariesBeside("/opt/atelier/atelier")).isEqualTo(Path.of("/opt/atelier/lib"));
    }

    @Test
    void isNoneOnAJvm() {
        assertThat(NativeExecutable.libraries()).isEmpty();
    }
}
