package io.atelier.conformance;

import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * What to ask, and how. Immutable.
 *
 * @param url           base address, without the {@code /v2}
 * @param identityModel names of the identities, with {@code {type}} where the datatype stands, in lower case
 * @param addModel      takes INPUT0 and INPUT1, INT32[batch,16]; gives their sum OUTPUT0 and difference OUTPUT1
 * @param levels        the checks that are asked
 * @param slowModel     as {@code addModel}, but slow, and with a queue that is short; null for none
 * @param control       whether models may be unloaded and loaded
 * @param patience      longest wait for an answer, or for the end of a connection whose request stays half
 * @param report        folder for the reports; null for none
 */
public record Options(
        URI url,
        String identityModel,
        String addModel,
        Set<Level> levels,
        @Nullable String slowModel,
        boolean control,
        Duration patience,
        @Nullable Path report) {
    static final String USAGE = """
            java -jar open-inference-conformance.jar --url http://HOST:PORT [options]
              --identity-model NAME   the identities, {type} stands for the datatype; default identity_{type}
              --add-model NAME        default add
              --levels LIST           of specification, extension, robustness; default all
              --slow-model NAME       as the add model, but slow and with a short queue; default none
              --control               also unload and load a model
              --patience SECONDS      longest wait for an answer; default 65
              --report DIR            writes conformance.txt, conformance.xml (JUnit) and conformance.html there
            java -jar open-inference-conformance.jar --models DIR
                                      writes the models into a folder, and ends
            """;

    /** Everything at its default. */
    public static Options of(URI url) {
        return new Options(
                url, "identity_{type}", "add", EnumSet.allOf(Level.class), null, false, Duration.ofSeconds(65), null);
    }

    /**
     * The options of a command line.
     *
     * @throws IllegalArgumentException if it is none, with a reason for people
     */
    static Options parse(String... args) {
        Options options = of(URI.create(""));
        for (int i = 0; i < args.length; i++) {
            String name = args[i];
            if (name.equals("--control")) {
                options = options.withControl();
                continue;
            }
            if (++i == args.length) {
                throw new IllegalArgumentException(name + " needs a value");
            }
            options = options.with(name, args[i]);
        }
        if (options.url.getHost() == null) {
            throw new IllegalArgumentException("--url is missing, or is not http://HOST:PORT");
        }
        return options;
    }

    public Options withControl() {
        return new Options(url, identityModel, addModel, levels, slowModel, true, patience, report);
    }

    public Options withSlowModel(String name) {
        return new Options(url, identityModel, addModel, levels, name, control, patience, report);
    }

    public Options withPatience(Duration longest) {
        return new Options(url, identityModel, addModel, levels, slowModel, control, longest, report);
    }

    public Options withReport(Path folder) {
        return new Options(url, identityModel, addModel, levels, slowModel, control, patience, folder);
    }

    private Options with(String name, String value) {
        return switch (name) {
            case "--url" ->
                new Options(URI.create(value), identityModel, addModel, levels, slowModel, control, patience, report);
            case "--identity-model" -> new Options(url, value, addModel, levels, slowModel, control, patience, report);
            case "--add-model" -> new Options(url, identityModel, value, levels, slowModel, control, patience, report);
            case "--levels" ->
                new Options(url, identityModel, addModel, levels(value), slowModel, control, patience, report);
            case "--slow-model" -> withSlowModel(value);
            case "--patience" -> withPatience(Duration.ofSeconds(Integer.parseUnsignedInt(value)));
            case "--report" -> withReport(Path.of(value));
            default -> throw new IllegalArgumentException("there is no option " + name);
        };
    }

    private static Set<Level> levels(String list) {
        return Arrays.stream(list.split(",", -1)).map(Level::byName).collect(Collectors.toUnmodifiableSet());
    }
}
