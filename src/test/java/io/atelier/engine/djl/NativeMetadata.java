package io.atelier.engine.djl;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;

/**
 * One file of our metadata for native executables.
 *
 * @param name    its folder
 * @param reasons by type or resource
 */
record NativeMetadata(
        String name, Map<String, String> reasons, List<Entry> jni, List<Entry> reflection, List<String> resources) {
    private static final Path FOLDER =
            Path.of("src", "main", "resources", "META-INF", "native-image", "io.atelier", "atelier");

    /**
     * What is registered of a type.
     *
     * @param type    as in Java source, with its brackets
     * @param methods name and parameters, such as {@code <init>(int, java.lang.String)}
     */
    record Entry(String type, Set<String> methods, Set<String> fields) {
        /** Methods and fields. */
        Set<String> members() {
            return Stream.concat(methods.stream(), fields.stream()).collect(Collectors.toSet());
        }

        private Entry without(Predicate<String> member) {
            return new Entry(type, minus(methods, member), minus(fields, member));
        }

        private static Set<String> minus(Set<String> members, Predicate<String> member) {
            return members.stream().filter(member.negate()).collect(Collectors.toSet());
        }
    }

    static List<NativeMetadata> all() {
        try (Stream<Path> folders = Files.list(FOLDER)) {
            return folders.filter(Files::isDirectory)
                    .sorted()
                    .map(NativeMetadata::read)
                    .toList();
        } catch (IOException failure) {
            throw new UncheckedIOException(failure);
        }
    }

    static NativeMetadata named(String name) {
        return read(FOLDER.resolve(name));
    }

    /** All types of the entries, interfaces of proxies included. */
    List<String> types() {
        return Stream.concat(jni.stream(), reflection.stream())
                .map(Entry::type)
                .distinct()
                .toList();
    }

    /** The same without what JNI may ask of this type. */
    NativeMetadata without(String type) {
        return withJni(jni.stream().filter(entry -> !entry.type().equals(type)).toList());
    }

    /** The same without this constructor, method or field, of whatever type. */
    NativeMetadata withoutMember(Predicate<String> member) {
        return withJni(jni.stream().map(entry -> entry.without(member)).toList());
    }

    private NativeMetadata withJni(List<Entry> other) {
        return new NativeMetadata(name, reasons, other, reflection, resources);
    }

    private static NativeMetadata read(Path folder) {
        try {
            JsonNode root = JsonMapper.builder()
                    .build()
                    .readTree(folder.resolve("reachability-metadata.json").toFile());
            Map<String, String> reasons = new LinkedHashMap<>();
            root.path("comment")
                    .properties()
                    .forEach(reason ->
                            reasons.put(reason.getKey(), reason.getValue().asText()));
            List<String> resources = new ArrayList<>();
            root.path("resources")
                    .forEach(resource -> resources.add(resource.path("glob").asText()));
            return new NativeMetadata(
                    folder.getFileName().toString(),
                    reasons,
                    entries(root.path("jni")),
                    entries(root.path("reflection")),
                    resources);
        } catch (IOException failure) {
            throw new UncheckedIOException(failure);
        }
    }

    private static List<Entry> entries(JsonNode section) {
        List<Entry> entries = new ArrayList<>();
        for (JsonNode entry : section) {
            JsonNode type = entry.path("type");
            Stream<String> types = type.isTextual() ? Stream.of(type.asText()) : texts(type.path("proxy")).stream();
            Set<String> methods = stream(entry.path("methods"))
                    .map(method -> method.path("name").asText()
                            + texts(method.path("parameterTypes")).stream().collect(Collectors.joining(", ", "(", ")")))
                    .collect(Collectors.toSet());
            Set<String> fields = stream(entry.path("fields"))
                    .map(field -> field.path("name").asText())
                    .collect(Collectors.toSet());
            types.forEach(name -> entries.add(new Entry(name, methods, fields)));
        }
        return entries;
    }

    private static List<String> texts(JsonNode array) {
        return stream(array).map(JsonNode::asText).toList();
    }

    private static Stream<JsonNode> stream(JsonNode array) {
        return StreamSupport.stream(array.spliterator(), false);
    }
}
