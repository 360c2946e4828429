package io.atelier.nativeanalysis;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.jar.Attributes;
import java.util.jar.JarFile;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Options of the native-image command, translated as it translates them for its builder. */
final class BuilderOptions {
    private static final Map<String, String> NAMES = Map.of(
            "--features", "Features",
            "--enable-url-protocols", "EnableURLProtocols",
            "--enable-monitoring", "EnableMonitoringFeatures",
            "--enable-native-access", "EnableNativeAccess",
            "--link-at-build-time", "LinkAtBuildTime",
            "--link-at-build-time-paths", "LinkAtBuildTimePaths",
            "-march", "MicroArchitecture",
            "--gc", "SupportedGCs",
            "--add-opens", "AddOpens",
            "--add-exports", "AddExports");

    private final Path sources;
    private final List<String> vm = new ArrayList<>();
    private final List<String> hosted = new ArrayList<>();
    private final Set<Path> classPath = new LinkedHashSet<>();
    private final List<Exclusion> exclusions = new ArrayList<>();

    /** Metadata that is left out: regular expressions of the jar's path and of the resource's. */
    private record Exclusion(String jar, String resource) {}

    BuilderOptions(Path sources) {
        this.sources = sources;
    }

    /** For the Java process. */
    List<String> vm() {
        return vm;
    }

    /** For the builder in it. */
    List<String> hosted() {
        return hosted;
    }

    Set<Path> classPath() {
        return classPath;
    }

    boolean excludes(Path jar, String resource) {
        return exclusions.stream()
                .anyMatch(exclusion -> jar.toString().matches(".*" + exclusion.jar() + ".*")
                        && ("/" + resource).matches(exclusion.resource()));
    }

    void add(List<String> options) throws IOException {
        for (int i = 0; i < options.size(); i++) {
            String option = options.get(i);
            switch (option) {
                case "--exclude-config" -> exclusions.add(new Exclusion(options.get(++i), options.get(++i)));
                case "-jar" -> addJar(sources.resolve(options.get(++i)));
                case "--no-fallback" -> hosted.add("-H:FallbackThreshold=0");
                default -> addOne(option);
            }
        }
    }

    private void addOne(String option) {
        int equals = option.indexOf('=');
        String name = equals < 0 ? option : option.substring(0, equals);
        String value = equals < 0 ? "" : option.substring(equals + 1);
        if (option.startsWith("-J")) {
            vm.add(option.substring("-J".length()));
        } else if (option.startsWith("-D")) {
            vm.add(option);
        } else if (option.startsWith("-H:") || option.startsWith("-R:")) {
            hosted.add(option);
        } else if (option.startsWith("-O")) {
            hosted.add("-H:Optimize=" + option.substring("-O".length()));
        } else if (name.equals("--initialize-at-run-time")) {
            hosted.add(initialization(value, "run_time"));
        } else if (name.equals("--initialize-at-build-time")) {
            hosted.add(initialization(value, "build_time"));
        } else if (NAMES.containsKey(name)) {
            hosted.add("-H:" + NAMES.get(name) + "=" + value);
        } else if (!option.startsWith("-")) {
            hosted.add("-H:Name=" + option);
        } else {
            throw new IllegalArgumentException("no translation of native-image's option " + option);
        }
    }

    private static String initialization(String packages, String when) {
        return Stream.of(packages.split(","))
                .map(name -> name + ":" + when)
                .collect(Collectors.joining(",", "-H:ClassInitialization=", ""));
    }

    private void addJar(Path jar) throws IOException {
        try (JarFile file = new JarFile(jar.toFile())) {
            Attributes manifest = file.getManifest().getMainAttributes();
            classPath.add(jar);
            hosted.add("-H:Class=" + manifest.getValue(Attributes.Name.MAIN_CLASS));
            for (String opened : words(manifest, "Add-Opens")) {
                hosted.add("-H:AddOpens=" + opened + "=ALL-UNNAMED");
            }
            words(manifest, "Class-Path").stream()
                    .map(entry -> jar.resolveSibling(entry).normalize())
                    .filter(Files::exists)
                    .forEach(classPath::add);
        }
    }

    private static List<String> words(Attributes manifest, String name) {
        String value = manifest.getValue(name);
        return value == null ? List.of() : NativeAnalysis.words(value);
    }
}
