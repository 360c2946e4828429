package io.atelier.access;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The API keys that open the service: a folder with one file for each caller, named after the caller, which holds the
 * key. So a mounted secret of Kubernetes is such a folder. Without a folder anybody may ask.
 *
 * <p>Only digests are kept, and a key is looked up by its digest: neither a dump of the memory nor the time of an answer
 * tells a key. Names that begin with a dot are no keys; Kubernetes keeps its own there.
 *
 * <p>Thread-safe: a look at the keys sees one reading of the folder, whole; {@link #refresh} replaces it.
 */
public final class ApiKeys {
    /** What a bearer token may be made of (RFC 6750), and long enough not to be guessed. */
    private static final Pattern KEY = Pattern.compile("[A-Za-z0-9._~+/-]{16,256}=*");

    private static final String RULE = "has to have 16 to 256 letters, digits or characters of -._~+/";

    private final @Nullable Path folder;
    private final Set<String> admins;
    private volatile Map<String, Caller> callers;

    /** One look into the folder: the callers by the digests of their keys, and what was wrong with the other files. */
    private record Reading(Map<String, Caller> callers, List<String> faults) {}

    private ApiKeys(@Nullable Path folder, Set<String> admins, Map<String, Caller> callers) {
        this.folder = folder;
        this.admins = admins;
        this.callers = callers;
    }

    /** Nobody needs a key. */
    public static ApiKeys none() {
        return new ApiKeys(null, Set.of(), Map.of());
    }

    /**
     * The keys of a folder.
     *
     * @param admins callers that may load and unload models
     * @throws IllegalArgumentException if the folder cannot be read, holds no key, or holds one that is too short, has
     *     other characters than a bearer token, or is another caller's too; the message names the file, never the key
     */
    public static ApiKeys of(Path folder, Set<String> admins) {
        Reading reading;
        try {
            reading = read(folder, admins);
        } catch (IOException e) {
            throw new IllegalArgumentException("the folder of API keys cannot be read: " + folder, e);
        }
        if (!reading.faults().isEmpty()) {
            throw new IllegalArgumentException(String.join("; ", reading.faults()));
        }
        if (reading.callers().isEmpty()) {
            throw new IllegalArgumentException("the folder of API keys is empty: " + folder);
        }
        return new ApiKeys(folder, Set.copyOf(admins), reading.callers());
    }

    /** Whether a caller has to show a key. */
    public boolean required() {
        return folder != null;
    }

    /** How many callers have a key. */
    public int size() {
        return callers.size();
    }

    /** Whose key it is; empty if it is nobody's. */
    public Optional<Caller> caller(String key) {
        return Optional.ofNullable(callers.get(digest(key)));
    }

    /**
     * Reads the folder again; blocks. A file that is no longer a key has lost its caller the access; a folder that cannot
     * be read leaves the keys as they were.
     *
     * @return what was wrong, without any key in it
     */
    public List<String> refresh() {
        if (folder == null) {
            return List.of();
        }
        try {
            Reading reading = read(folder, admins);
            callers = reading.callers();
            return reading.faults();
        } catch (IOException e) {
            return List.of("the folder of API keys cannot be read, the last keys stay: " + folder);
        }
    }

    private static Reading read(Path folder, Set<String> admins) throws IOException {
        List<Path> files;
        try (Stream<Path> entries = Files.list(folder)) {
            files = entries.filter(file -> !file.getFileName().toString().startsWith("."))
                    .filter(Files::isRegularFile)
                    .sorted()
                    .toList();
        }
        Map<String, Caller> callers = new HashMap<>();
        List<String> faults = new ArrayList<>();
        for (Path file : files) {
            String name = file.getFileName().toString();
            String key = Files.readString(file, UTF_8).strip();
            if (!KEY.matcher(key).matches()) {
                faults.add("the API key of '" + name + "' " + RULE);
                continue;
            }
            Caller other = callers.putIfAbsent(digest(key), new Caller(name, admins.contains(name)));
            if (other != null) {
                faults.add("'" + name + "' has the same API key as '" + other.name() + "'");
            }
        }
        return new Reading(Map.copyOf(callers), List.copyOf(faults));
    }

    private static String digest(String key) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(key.getBytes(UTF_8)));
        } catch (NoSuchAlgorithmException impossible) {
            throw new IllegalStateException(impossible);
        }
    }
}
