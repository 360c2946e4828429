package io.atelier;

import static com.tngtech.archunit.base.DescribedPredicate.not;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.fields;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noFields;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import jakarta.inject.Inject;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.eclipse.microprofile.config.inject.ConfigProperty;
import org.jspecify.annotations.NullMarked;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The order of the packages, as the design's table has it, and what holds in all of them. */
class ArchitectureTest {
    private static final String ROOT = "io.atelier.";

    /** Each package, and what of ours it may use; whatever it may use beside itself. */
    private static final Map<String, Set<String>> MAY_USE = new TreeMap<>(Map.ofEntries(
            Map.entry("core", Set.of()),
            Map.entry("engine", Set.of("core")),
            Map.entry("engine.onnx", Set.of()),
            Map.entry("engine.djl", Set.of("engine", "engine.djl.task", "engine.onnx", "nvidia", "core")),
            Map.entry("engine.djl.task", Set.of("engine", "core")),
            Map.entry("nvidia", Set.of("core")),
            Map.entry("scheduling", Set.of("core")),
            Map.entry("device", Set.of("scheduling", "engine", "core")),
            Map.entry("repository", Set.of("engine", "core")),
            Map.entry("serving", Set.of("serving.pipeline", "scheduling", "device", "repository", "core")),
            Map.entry("serving.pipeline", Set.of("repository", "core")),
            Map.entry("serving.jobs", Set.of("core")),
            Map.entry("serving.map", Set.of("core")),
            Map.entry("metrics", Set.of("nvidia", "core")),
            Map.entry("access", Set.of()),
            Map.entry("tracing", Set.of("core")),
            Map.entry("config", Set.of()),
            Map.entry(
                    "app",
                    Set.of(
                            "access",
                            "config",
                            "core",
                            "device",
                            "engine",
                            "engine.djl",
                            "engine.onnx",
                            "metrics",
                            "nvidia",
                            "repository",
                            "scheduling",
                            "serving",
                            "serving.jobs",
                            "serving.map",
                            "serving.pipeline",
                            "tracing")),
            Map.entry("api", Set.of("access", "serving", "serving.jobs", "serving.map", "core"))));

    private static final JavaClasses MAIN = new ClassFileImporter()
            .withImportOption(new ImportOption.DoNotIncludeTests())
            .importPackages("io.atelier");

    private static final JavaClasses MAIN_AND_TEST = new ClassFileImporter().importPackages("io.atelier");

    static Set<String> packages() {
        return MAY_USE.keySet();
    }

    @ParameterizedTest
    @MethodSource("packages")
    void usesOnlyWhatTheDesignAllows(String name) {
        Set<String> allowed = new TreeSet<>(MAY_USE.get(name));
        allowed.add(name);
        noClasses()
                .that(residesIn(name))
                .should()
                .dependOnClassesThat(DescribedPredicate.describe(
                        "are ours and not of " + allowed,
                        type -> packageOf(type)
                                .map(other -> !allowed.contains(other))
                                .orElse(false)))
                .check(MAIN);
    }

    @Test
    void everyPackageStandsInTheTable() {
        Set<String> present =
                MAIN.stream().map(type -> packageOf(type).orElseThrow()).collect(Collectors.toSet());
        assertThat(present).isEqualTo(MAY_USE.keySet());
    }

    @Test
    void packagesHaveNoCycles() {
        slices().matching("io.atelier.(**)").should().beFreeOfCycles().check(MAIN);
    }

    @ParameterizedTest
    @MethodSource("kernel")
    void theKernelIsPlainJava(String name) {
        noClasses()
                .that(residesIn(name))
                .should()
                .dependOnClassesThat(not(resideInAnyPackage("java..", "org.jspecify.annotations", "io.atelier..")))
                .check(MAIN);
    }

    static Stream<String> kernel() {
        return Stream.of(
                "core",
                "engine",
                "engine.onnx",
                "scheduling",
                "serving",
                "serving.jobs",
                "serving.map",
                "serving.pipeline");
    }

    @Test
    void onlyTheAdapterTouchesTheEngine() {
        noClasses()
                .that(not(residesIn("engine.djl")).and(not(residesIn("engine.djl.task"))))
                .should()
                .dependOnClassesThat(resideInAnyPackage("ai.djl..", "ai.onnxruntime.."))
                .check(MAIN);
    }

    @Test
    void onlyTracingKnowsOpenTelemetry() {
        noClasses()
                .that(not(residesIn("tracing")).and(not(residesIn("app"))))
                .should()
                .dependOnClassesThat(resideInAPackage("io.opentelemetry.."))
                .check(MAIN);
    }

    @Test
    void onlyTheCompositionReadsTheConfiguration() {
        noClasses()
                .that(not(residesIn("app")).and(not(residesIn("config"))))
                .should()
                .dependOnClassesThat(resideInAPackage("io.atelier.config.."))
                .check(MAIN);
    }

    @Test
    void thereIsNoStaticMutableState() {
        fields().that().areStatic().should().beFinal().check(MAIN);
    }

    @Test
    void nothingIsInjectedIntoFields() {
        noFields()
                .should()
                .beAnnotatedWith(Inject.class)
                .orShould()
                .beAnnotatedWith(ConfigProperty.class)
                .check(MAIN);
    }

    @Test
    void everyPackageIsNullMarked() {
        Set<String> names = MAIN.stream().map(JavaClass::getPackageName).collect(Collectors.toSet());
        Set<String> marked = names.stream()
                .filter(name -> MAIN.getPackage(name).isAnnotatedWith(NullMarked.class))
                .collect(Collectors.toSet());

        assertThat(marked).isEqualTo(names).contains("io.atelier.core", "io.atelier.api.oip");
    }

    @Test
    void nobodySleeps() {
        noClasses()
                .should()
                .callMethodWhere(DescribedPredicate.describe(
                        "the target sleeps",
                        call -> call.getName().equals("sleep")
                                && (call.getTargetOwner().isAssignableTo(Thread.class)
                                        || call.getTargetOwner().isAssignableTo(TimeUnit.class))))
                .check(MAIN_AND_TEST);
    }

    private static DescribedPredicate<JavaClass> residesIn(String name) {
        return DescribedPredicate.describe(
                "reside in " + name, type -> packageOf(type).map(name::equals).orElse(false));
    }

    /** The row of the table that a class belongs to; empty for what is not ours. */
    private static Optional<String> packageOf(JavaClass type) {
        String full = type.getBaseComponentType().getPackageName();
        if (!full.startsWith(ROOT)) {
            return Optional.empty();
        }
        String name = full.substring(ROOT.length());
        return Optional.of(name.startsWith("api.") ? "api" : name);
    }
}
