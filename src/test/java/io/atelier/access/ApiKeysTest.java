package io.atelier.access;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ApiKeysTest {
    private static final String ALICE = "alice-0123456789abcdef";
    private static final String BOB = "bob-0123456789abcdefgh";

    @TempDir
    Path folder;

    @Test
    void namesTheCallerOfEachKey() throws IOException {
        write("alice", ALICE);
        write("bob", BOB);

        ApiKeys keys = ApiKeys.of(folder, Set.of("bob"));

        assertThat(keys.required()).isTrue();
        assertThat(keys.caller(ALICE)).contains(new Caller("alice", false));
        assertThat(keys.caller(BOB)).contains(new Caller("bob", true));
        assertThat(keys.caller("nobody-0123456789abcdef")).isEmpty();
        assertThat(keys.caller("")).isEmpty();
        assertThat(keys.size()).isEqualTo(2);
    }

    @Test
    void theEndOfALineIsNoPartOfAKey() throws IOException {
        write("alice", ALICE + "\r\n");

        assertThat(ApiKeys.of(folder, Set.of()).caller(ALICE)).isPresent();
    }

    @Test
    void withoutAFolderNobodyNeedsAKey() {
        assertThat(ApiKeys.none().required()).isFalse();
        assertThat(ApiKeys.none().refresh()).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "short", "with a blank 0123456789", "ümlaut-0123456789abcdef", "=0123456789abcdef"})
    void aKeyThatIsNoneStopsTheStartAndIsNotTold(String key) throws IOException {
        write("alice", ALICE);
        write("careless", key);

        assertThatThrownBy(() -> ApiKeys.of(folder, Set.of()))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("the API key of 'careless' has to have 16 to 256 letters, digits or characters of -._~+/");
    }

    @Test
    void oneKeyOfTwoCallersStopsTheStart() throws IOException {
        write("alice", ALICE);
        write("bob", ALICE);

        assertThatThrownBy(() -> ApiKeys.of(folder, Set.of())).hasMessage("'bob' has the same API key as 'alice'");
    }

    @Test
    void aFolderThatIsEmptyOrMissingStopsTheStart() {
        assertThatThrownBy(() -> ApiKeys.of(folder, Set.of())).hasMessageContaining("is empty");
        assertThatThrownBy(() -> ApiKeys.of(folder.resolve("none"), Set.of())).hasMessageContaining("cannot be read");
    }

    /** The files of a mounted secret are links through {@code ..data}, which an update replaces. */
    @Test
    void aMountedSecretThatIsUpdatedChangesTheCallersWhole() throws IOException {
        Path first = secret("..2026_01", "alice", ALICE);
        Path data = Files.createSymbolicLink(folder.resolve("..data"), first.getFileName());
        Files.createSymbolicLink(folder.resolve("alice"), Path.of("..data", "alice"));
        ApiKeys keys = ApiKeys.of(folder, Set.of());

        Path second = secret("..2026_02", "bob", BOB);
        Files.delete(data);
        Files.createSymbolicLink(data, second.getFileName());
        Files.createSymbolicLink(folder.resolve("bob"), Path.of("..data", "bob"));
        Files.delete(folder.resolve("alice"));

        assertThat(keys.caller(ALICE)).isPresent();
        assertThat(keys.refresh()).isEmpty();
        assertThat(keys.caller(ALICE)).isEmpty();
        assertThat(keys.caller(BOB)).contains(new Caller("bob", false));
    }

    @Test
    void aKeyThatIsSpoiltLaterCostsItsOwnCallerTheAccess() throws IOException {
        write("alice", ALICE);
        write("bob", BOB);
        ApiKeys keys = ApiKeys.of(folder, Set.of());

        write("bob", "spoilt");

        assertThat(keys.refresh())
                .containsExactly("the API key of 'bob' has to have 16 to 256 letters, digits or characters of -._~+/");
        assertThat(keys.caller(ALICE)).isPresent();
        assertThat(keys.caller(BOB)).isEmpty();
    }

    @Test
    void whereEveryKeyIsTakenAwayNobodyIsLetIn() throws IOException {
        write("alice", ALICE);
        ApiKeys keys = ApiKeys.of(folder, Set.of());

        Files.delete(folder.resolve("alice"));

        assertThat(keys.refresh()).isEmpty();
        assertThat(keys.caller(ALICE)).isEmpty();
        assertThat(keys.required()).isTrue();
    }

    @Test
    void aFolderThatGoesAwayLeavesTheKeys() throws IOException {
        write("alice", ALICE);
        ApiKeys keys = ApiKeys.of(folder, Set.of());

        Files.delete(folder.resolve("alice"));
        Files.delete(folder);

        assertThat(keys.refresh()).singleElement().asString().contains("the last keys stay");
        assertThat(keys.caller(ALICE)).isPresent();
    }

    private void write(String name, String key) throws IOException {
        Files.writeString(folder.resolve(name), key);
    }

    private Path secret(String version, String name, String key) throws IOException {
        Path data = Files.createDirectory(folder.resolve(version));
        Files.writeString(data.resolve(name), key);
        return data;
    }
}
