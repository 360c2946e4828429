package io.atelier.nativeanalysis;

import java.io.File;
import java.io.IOException;
import java.lang.module.ModuleDescriptor;
import java.lang.module.ModuleFinder;
import java.lang.module.ModuleReference;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * GraalVM's closed-world analysis of a native executable, without a GraalVM: with the jars of its builder, which are on
 * Maven Central, and a JDK of the same version. It fails on what the full build would fail on before it compiles:
 * classes that are missing, what native executables do not support, and objects of classes that are to be initialised
 * when the executable starts.
 *
 * <p>It does not see metadata whose lack shows at run time only, and does not link.
 *
 * <pre>java NativeAnalysis.java BUILDER_JARS NATIVE_SOURCES WORK_FOLDER [option of native-image...]</pre>
 */
final class NativeAnalysis {
    private static final String MEMORY = "-Xmx6g";

    /** Modules of the JDK into whose packages the builder looks. */
    private static final Set<String> OPENED = Set.of(
            "java.base",
            "java.desktop",
            "java.instrument",
            "java.logging",
            "java.management",
            "java.naming",
            "java.net.http",
            "java.prefs",
            "java.rmi",
            "java.security.jgss",
            "java.xml",
            "jdk.crypto.ec",
            "jdk.httpserver",
            "jdk.internal.vm.ci",
            "jdk.jfr",
            "jdk.localedata",
            "jdk.management",
            "jdk.zipfs");

    private NativeAnalysis() {}

    public static void main(String[] args) throws IOException, InterruptedException, ReflectiveOperationException {
        List<Path> builder = jars(Path.of(args[0]).toAbsolutePath());
        Path sources = Path.of(args[1]).toAbsolutePath();
        Path work = Files.createDirectories(Path.of(args[2]).toAbsolutePath());
        Path compiler = builder.stream()
                .filter(jar -> jar.getFileName().toString().startsWith("compiler-"))
                .findFirst()
                .orElseThrow();
        String version = compiler.getFileName().toString().replaceAll("compiler-(.*)\\.jar", "$1");
        if (!version.startsWith(Runtime.version().feature() + ".")) {
            throw new IllegalArgumentException("the builder " + version + " does not run on JDK " + Runtime.version());
        }

        BuilderOptions options = new BuilderOptions(sources);
        options.add(words(Files.readString(sources.resolve("native-image.args"))));
        options.add(List.of(args).subList(3, args.length));
        for (Path jar : List.copyOf(options.classPath())) {
            JarMetadata.addTo(options, jar);
        }
        StandIns standIns = new StandIns(builder, work);

        List<String> vm = new ArrayList<>(vmOptions(version));
        vm.addAll(exports(modules(builder)));
        vm.addAll(List.of("--upgrade-module-path", compiler.toString()));
        vm.add("--patch-module=org.graalvm.nativeimage.builder=" + standIns.classes());
        vm.addAll(options.vm());
        vm.add("--add-modules=ALL-DEFAULT");
        vm.add("--enable-native-access="
                + modules(builder).stream()
                        .filter(name -> !name.equals("jdk.graal.compiler") && !name.contains("truffle"))
                        .collect(Collectors.joining(",")));
        vm.addAll(List.of(
                "--module-path",
                path(builder.stream().filter(jar -> !jar.equals(compiler)).toList())));
        vm.addAll(List.of(
                "--module", "org.graalvm.nativeimage.builder/com.oracle.svm.hosted.NativeImageGeneratorRunner"));

        List<String> image = new ArrayList<>(List.of("-imagecp", path(options.classPath())));
        image.add("-H:CLibraryPath=" + standIns.headers());
        image.add("-H:Path=" + work);
        image.addAll(options.hosted());
        image.add("-H:ImageBuildID=" + new UUID(0, 0));
        image.addAll(List.of("-H:+UnlockExperimentalVMOptions", "-H:+ReturnAfterAnalysis"));

        Path vmArguments = work.resolve("vm.args");
        Files.writeString(vmArguments, vm.stream().map(NativeAnalysis::quoted).collect(Collectors.joining("\n")));
        Path imageArguments = work.resolve("image.args");
        Files.writeString(imageArguments, String.join("\0", image));
        ProcessBuilder process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "@" + vmArguments,
                        "--image-args-file=" + imageArguments)
                .directory(work.toFile())
                .inheritIO();
        process.environment().put("USE_NATIVE_IMAGE_JAVA_PLATFORM_MODULE_SYSTEM", "true");
        System.exit(process.start().waitFor());
    }

    /** What the native-image command gives the Java process in which it builds. */
    private static List<String> vmOptions(String version) {
        return List.of(
                "-XX:+UnlockExperimentalVMOptions",
                "-XX:+EnableJVMCI",
                "-XX:-UseJVMCICompiler",
                "-XX:+UseParallelGC",
                "-Xss10m",
                MEMORY,
                "-Xshare:off",
                "-Djava.awt.headless=true",
                "-Dorg.graalvm.version=" + version,
                "-Dorg.graalvm.vendor=jars",
                "-Dorg.graalvm.vendorurl=jars",
                "-Dorg.graalvm.vendorversion=Mandrel-" + version + ".0-jars",
                "-Dcom.oracle.graalvm.isaot=true",
                "-Djava.system.class.loader=com.oracle.svm.hosted.NativeImageSystemClassLoader",
                "-Dorg.graalvm.nativeimage.imagecode=buildtime",
                "-Dsubstratevm.HostLibC=glibc",
                "-Dtruffle.TrustAllTruffleRuntimeProviders=true",
                "-Dgraalvm.locatorDisabled=true",
                "-Djdk.internal.lambda.disableEagerInitialization=true",
                "-Djava.lang.invoke.MethodHandle.DONT_INLINE_THRESHOLD=-1",
                "-Djava.lang.invoke.MethodHandle.PROFILE_GWT=false");
    }

    /** Every package that the JDK keeps to itself, exported to the builder. */
    private static List<String> exports(Set<String> builder) {
        List<String> exports = new ArrayList<>();
        for (ModuleReference module : ModuleFinder.ofSystem().findAll()) {
            ModuleDescriptor descriptor = module.descriptor();
            if (builder.contains(descriptor.name()) || !OPENED.contains(descriptor.name())) {
                continue;
            }
            Set<String> exported = descriptor.exports().stream()
                    .filter(export -> !export.isQualified())
                    .map(ModuleDescriptor.Exports::source)
                    .collect(Collectors.toSet());
            descriptor.packages().stream()
                    .filter(name -> !exported.contains(name))
                    .sorted()
                    .forEach(name -> exports.add(
                            "--add-exports=" + descriptor.name() + "/" + name + "=" + String.join(",", builder)));
        }
        return exports;
    }

    private static Set<String> modules(List<Path> jars) {
        return ModuleFinder.of(jars.toArray(Path[]::new)).findAll().stream()
                .map(module -> module.descriptor().name())
                .collect(Collectors.toCollection(TreeSet::new));
    }

    private static List<Path> jars(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.filter(file -> file.toString().endsWith(".jar"))
                    .sorted()
                    .toList();
        }
    }

    private static String path(Iterable<Path> jars) {
        List<String> paths = new ArrayList<>();
        jars.forEach(jar -> paths.add(jar.toString()));
        return String.join(File.pathSeparator, paths);
    }

    static List<String> words(String text) {
        return Stream.of(text.strip().split("\\s+"))
                .filter(word -> !word.isEmpty())
                .toList();
    }

    private static String quoted(String argument) {
        return '"' + argument.replace("\\", "\\\\").replace("\"", "\\\"") + '"';
    }
}
