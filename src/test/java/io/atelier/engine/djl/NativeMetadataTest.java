package io.atelier.engine.djl;

import static java.util.stream.Collectors.joining;
import static java.util.stream.Collectors.toSet;
import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.engine.Engine;
import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import ai.djl.onnxruntime.engine.OrtModel;
import ai.onnxruntime.OrtSession;
import com.sun.jna.Native;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import io.atelier.engine.djl.NativeMetadata.Entry;
import java.io.IOException;
import java.lang.invoke.MethodType;
import java.lang.reflect.Constructor;
import java.lang.reflect.Executable;
import java.lang.reflect.Member;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Our metadata for native executables against the jars: what their native libraries ask of JNI, and where their Java
 * code reflects. Raising a version that needs another entry fails here, with the entry's name.
 */
class NativeMetadataTest {
    private static final Path REFLECTIVE_CALLS = Path.of("src", "test", "resources", "native", "reflective-calls.txt");
    private static final String UNUSED = "unused";

    /** Calls whose answer depends on metadata. */
    private static final Set<String> REFLECTIVE = Set.of(
            "Class.forName",
            "Class.getConstructor",
            "Class.getDeclaredConstructor",
            "Class.getDeclaredField",
            "Class.getDeclaredMethod",
            "Class.getField",
            "Class.getMethod",
            "Class.getResource",
            "Class.getResourceAsStream",
            "Class.newInstance",
            "ClassLoader.getResource",
            "ClassLoader.getResourceAsStream",
            "ClassLoader.getResources",
            "ClassLoader.loadClass",
            "Constructor.newInstance",
            "Method.invoke",
            "Array.newInstance",
            "Proxy.newProxyInstance",
            "ServiceLoader.load",
            "Gson.fromJson",
            "Gson.toJson",
            "Gson.toJsonTree");

    /** Functions in the libraries that are called as methods of Java are. */
    private static final Set<String> FUNCTIONS_OF_C = Set.of("getNativeType", "getenv");

    private static final Set<String> JNI_THROWS = Set.of("<init>(java.lang.String)");

    /** A native library, its metadata, and a class of its jar. */
    private enum Library {
        ONNXRUNTIME("onnxruntime", "/ai/onnxruntime/native/linux-x64/libonnxruntime4j_jni.so", OrtSession.class),
        TOKENIZERS("tokenizers", "/native/lib/linux-x86_64/cpu/libtokenizers.so", HuggingFaceTokenizer.class),
        JNA("jna", "/com/sun/jna/linux-x86-64/libjnidispatch.so", Native.class);

        private final String metadata;
        private final String resource;
        private final Class<?> inJar;

        Library(String metadata, String resource, Class<?> inJar) {
            this.metadata = metadata;
            this.resource = resource;
            this.inJar = inJar;
        }
    }

    static List<NativeMetadata> files() {
        return NativeMetadata.all();
    }

    @ParameterizedTest
    @MethodSource("files")
    void everyEntryIsThere(NativeMetadata file) throws ReflectiveOperationException {
        for (Entry entry :
                Stream.concat(file.jni().stream(), file.reflection().stream()).toList()) {
            Class<?> type = type(entry.type());
            for (String field : entry.fields()) {
                assertThat(type.getDeclaredField(field)).isNotNull();
            }
            assertThat(members(type).map(NativeMetadataTest::signature)).containsAll(entry.methods());
        }
        for (String resource : file.resources()) {
            assertThat(getClass().getResource("/" + resource)).as(resource).isNotNull();
        }
    }

    @ParameterizedTest
    @MethodSource("files")
    void everyEntryHasAReason(NativeMetadata file) {
        assertThat(Stream.concat(file.types().stream(), file.resources().stream()))
                .allMatch(entry -> file.reasons().keySet().stream().anyMatch(reason -> matches(reason, entry)));
    }

    /** A reason may stand for all that begin like it, or for an array of more axes. */
    private static boolean matches(String reason, String entry) {
        return reason.endsWith("*")
                ? entry.startsWith(reason.substring(0, reason.length() - 1))
                : entry.equals(reason) || (reason.endsWith("[][]") && entry.startsWith(reason));
    }

    @ParameterizedTest
    @EnumSource(Library.class)
    void whatALibraryLooksUpIsRegistered(Library library) throws ReflectiveOperationException {
        assertThat(missing(LibraryText.of(library.resource), library, NativeMetadata.named(library.metadata)))
                .as("what %s asks of JNI and %s/reachability-metadata.json lacks", library.resource, library.metadata)
                .isEmpty();
    }

    /** Else the test above might pass whatever the next version asks for. */
    @ParameterizedTest
    @EnumSource(Library.class)
    void anEntryThatIsTakenAwayIsMissed(Library library) throws ReflectiveOperationException {
        LibraryText text = LibraryText.of(library.resource);
        NativeMetadata metadata = NativeMetadata.named(library.metadata);
        for (Entry entry : metadata.jni()) {
            assertThat(missing(text, library, metadata.without(entry.type()))).contains(entry.type());
            for (String member : entry.members()) {
                if (text.hasWord(name(member)) && !name(member).equals("<init>")) {
                    assertThat(missing(text, library, metadata.withoutMember(it -> name(it).equals(name(member)))))
                            .contains(name(member));
                }
            }
            for (Constructor<?> constructor : type(entry.type()).getDeclaredConstructors()) {
                String signature = signature(constructor);
                if (entry.methods().contains(signature) && isWanted(constructor, library, text)) {
                    assertThat(missing(text, library, metadata.withoutMember(signature::equals)))
                            .contains(entry.type() + "." + signature);
                }
            }
        }
    }

    /** What a library does not name any more is an entry too many. */
    @ParameterizedTest
    @EnumSource(Library.class)
    void everyMemberThatIsRegisteredStandsInTheLibrary(Library library) {
        LibraryText text = LibraryText.of(library.resource);

        for (Entry entry : NativeMetadata.named(library.metadata).jni()) {
            if (!JNI_THROWS.equals(entry.members())) {
                assertThat(entry.members()).as(entry.type()).allMatch(member -> text.has(name(member)));
            }
        }
    }

    private static Set<String> missing(LibraryText text, Library library, NativeMetadata metadata)
            throws ReflectiveOperationException {
        Map<String, Entry> registered = new TreeMap<>();
        Set<String> names = new TreeSet<>(FUNCTIONS_OF_C);
        Set<String> descriptors = new TreeSet<>();
        for (Entry entry : metadata.jni()) {
            registered.put(entry.type(), entry);
            entry.members().forEach(member -> names.add(name(member)));
            members(type(entry.type()))
                    .filter(member -> entry.methods().contains(signature(member)))
                    .map(NativeMetadataTest::descriptor)
                    .forEach(descriptors::add);
        }
        Set<String> missing = new TreeSet<>();
        for (Class<?> type : text.classes()) {
            Entry entry = registered.getOrDefault(type.getName(), new Entry("", Set.of(), Set.of()));
            if (entry.type().isEmpty()) {
                missing.add(type.getName());
            }
            Arrays.stream(type.getDeclaredConstructors())
                    .filter(constructor -> isWanted(constructor, library, text))
                    .map(NativeMetadataTest::signature)
                    .filter(constructor -> !entry.methods().contains(constructor))
                    .forEach(constructor -> missing.add(type.getName() + "." + constructor));
            Stream.concat(
                            Arrays.stream(type.getDeclaredMethods())
                                    .filter(method -> !Modifier.isNative(method.getModifiers()))
                                    .filter(method -> text.has(descriptor(method))),
                            Arrays.stream(type.getDeclaredFields()))
                    .map(Member::getName)
                    .filter(member -> text.hasWord(member) && !names.contains(member))
                    .forEach(missing::add);
        }
        text.descriptors().stream()
                .filter(descriptor -> !descriptors.contains(descriptor))
                .forEach(missing::add);
        return missing;
    }

    /**
     * Whether a library may construct this. Exceptions are thrown by the constructor that takes a text. Of the JDK's other
     * classes, and of JNA, which constructs boxes and its own alike, it cannot be told which constructor they call.
     */
    private static boolean isWanted(Constructor<?> constructor, Library library, LibraryText text) {
        Class<?> type = constructor.getDeclaringClass();
        if (library != Library.JNA && type.getClassLoader() != null) {
            return text.constructs(descriptor(constructor));
        }
        return Throwable.class.isAssignableFrom(type) && JNI_THROWS.equals(Set.of(signature(constructor)));
    }

    /** Of a method without its parameters. */
    private static String name(String member) {
        return member.replaceFirst("\\(.*", "");
    }

    /** Else the first call would fail with an UnsatisfiedLinkError. */
    @ParameterizedTest
    @EnumSource(Library.class)
    void everyNativeMethodIsInItsLibrary(Library library) throws IOException {
        LibraryText text = LibraryText.of(library.resource);

        assertThat(nativeMethods(library)).isNotEmpty().allMatch(text::implementsNatively);
    }

    /** A native library makes an array of objects as {@code Array.newInstance} does, which needs the array's type. */
    @ParameterizedTest
    @EnumSource(Library.class)
    void arraysThatNativeMethodsReturnAreRegistered(Library library) throws IOException {
        Set<String> notAsked = Set.of(
                "ai.onnxruntime.OnnxSequence", // OrtCalls takes one apart
                "ai.onnxruntime.OrtEpDevice", // execution providers from elsewhere
                "ai.onnxruntime.OrtHardwareDevice");
        Set<String> registered = NativeMetadata.named(library.metadata).reflection().stream()
                .map(Entry::type)
                .collect(toSet());

        assertThat(nativeMethods(library))
                .filteredOn(method -> method.getReturnType().isArray()
                        && !method.getReturnType().getComponentType().isPrimitive()
                        && !notAsked.contains(method.getDeclaringClass().getName()))
                .allMatch(method -> registered.contains(method.getReturnType().getTypeName()));
    }

    @Test
    void everyReflectiveCallIsAccountedFor() throws IOException {
        Map<String, String> known = knownCalls();
        Set<String> found = new TreeSet<>();
        for (Class<?> inJar : List.of(Engine.class, OrtModel.class, HuggingFaceTokenizer.class, OrtSession.class)) {
            for (JavaClass type : jar(inJar)) {
                type.getMethodCallsFromSelf().stream()
                        .map(call -> call.getTargetOwner().getSimpleName() + "."
                                + call.getTarget().getName())
                        .filter(REFLECTIVE::contains)
                        .forEach(call -> found.add(type.getName() + " " + call));
            }
        }
        List<String> unused = known.entrySet().stream()
                .filter(call -> call.getValue().equals(UNUSED))
                .map(Map.Entry::getKey)
                .toList();

        assertThat(found)
                .as("reflective calls that %s does not have", REFLECTIVE_CALLS)
                .filteredOn(call -> unused.stream().noneMatch(call::startsWith))
                .allMatch(known::containsKey);
        assertThat(known.keySet())
                .as("calls that are no more")
                .filteredOn(call -> found.stream().noneMatch(other -> other.startsWith(call)))
                .isEmpty();
        assertThat(new ClassFileImporter()
                        .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
                        .importPackages("io.atelier"))
                .flatMap(type -> type.getDirectDependenciesFromSelf())
                .extracting(dependency -> dependency.getTargetClass().getName())
                .as("what is said to be unused")
                .noneMatch(used -> unused.stream().anyMatch(used::startsWith));
    }

    private static Map<String, String> knownCalls() throws IOException {
        Map<String, String> calls = new TreeMap<>();
        for (String line : Files.readAllLines(REFLECTIVE_CALLS)) {
            if (!line.isBlank() && !line.startsWith("#")) {
                int colon = line.indexOf(": ");
                calls.put(line.substring(0, colon), line.substring(colon + 2));
            }
        }
        return calls;
    }

    private static List<Method> nativeMethods(Library library) throws IOException {
        List<Method> methods = new ArrayList<>();
        for (JavaClass type : jar(library.inJar)) {
            if (type.getMethods().stream()
                    .anyMatch(method -> method.getModifiers().contains(JavaModifier.NATIVE))) {
                Arrays.stream(type.reflect().getDeclaredMethods())
                        .filter(method -> Modifier.isNative(method.getModifiers()))
                        .forEach(methods::add);
            }
        }
        return methods;
    }

    private static JavaClasses jar(Class<?> inJar) {
        URL jar = inJar.getProtectionDomain().getCodeSource().getLocation();
        return new ClassFileImporter().importUrl(jar);
    }

    private static Class<?> type(String name) throws ClassNotFoundException {
        return name.endsWith("[]")
                ? type(name.substring(0, name.length() - 2)).arrayType()
                : Class.forName(name, false, NativeMetadataTest.class.getClassLoader());
    }

    private static Stream<Executable> members(Class<?> type) {
        return Stream.concat(Arrays.stream(type.getDeclaredConstructors()), Arrays.stream(type.getDeclaredMethods()));
    }

    private static String signature(Executable member) {
        String name = member instanceof Constructor ? "<init>" : member.getName();
        return Arrays.stream(member.getParameterTypes())
                .map(Class::getTypeName)
                .collect(joining(", ", name + "(", ")"));
    }

    private static String descriptor(Executable member) {
        Class<?> returned = member instanceof Method method ? method.getReturnType() : void.class;
        return MethodType.methodType(returned, member.getParameterTypes()).toMethodDescriptorString();
    }
}
