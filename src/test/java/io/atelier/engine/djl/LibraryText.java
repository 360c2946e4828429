package io.atelier.engine.djl;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.reflect.Method;
import java.util.Arrays;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * What a native library asks of JNI, as far as it stands as text in its file: names of classes, descriptors, names of
 * members. C ends each with a zero byte; Rust writes them one behind the other.
 */
final class LibraryText {
    private static final Pattern CLASS = Pattern.compile("(?:java|javax|ai|com)(?:/[a-z0-9_]+)+/[A-Z][\\w$]*");
    private static final Pattern DESCRIPTOR =
            Pattern.compile("\\((?:\\[*(?:[ZBCSIJFD]|L[\\w/$]+;))*\\)\\[*(?:[VZBCSIJFD]|L[\\w/$]+;)");

    private final String text;
    private final Set<String> words;
    private final Set<Class<?>> classes;

    private LibraryText(String text) {
        this.text = text;
        this.words = Arrays.stream(text.split("\0+")).collect(Collectors.toSet());
        this.classes = findClasses();
    }

    static LibraryText of(String resource) {
        try (InputStream file = LibraryText.class.getResourceAsStream(resource)) {
            if (file == null) {
                throw new AssertionError("no library " + resource);
            }
            return new LibraryText(new String(file.readAllBytes(), ISO_8859_1));
        } catch (IOException failure) {
            throw new UncheckedIOException(failure);
        }
    }

    /** The classes that it looks up, of those that are there. */
    Set<Class<?>> classes() {
        return classes;
    }

    private Set<Class<?>> findClasses() {
        Set<Class<?>> found = new TreeSet<>((one, other) -> one.getName().compareTo(other.getName()));
        Matcher matcher = CLASS.matcher(text);
        while (matcher.find()) {
            longestName(matcher.group())
                    .filter(type -> !isInADescriptor(matcher.start(), type))
                    .ifPresent(found::add);
        }
        return found;
    }

    private boolean isInADescriptor(int start, Class<?> type) {
        return text.startsWith("L", start - 1)
                && text.startsWith(";", start + type.getName().length());
    }

    private static Optional<Class<?>> longestName(String found) {
        for (int end = found.length(); end > found.lastIndexOf('/') + 1; end--) {
            try {
                return Optional.of(Class.forName(
                        found.substring(0, end).replace('/', '.'), false, LibraryText.class.getClassLoader()));
            } catch (ClassNotFoundException | LinkageError longerThanTheName) {
                // the next is shorter
            }
        }
        return Optional.empty();
    }

    /** The descriptors of methods that stand by themselves. */
    Set<String> descriptors() {
        return words.stream()
                .filter(word -> DESCRIPTOR.matcher(word).matches())
                .collect(Collectors.toCollection(TreeSet::new));
    }

    /** Whether it may ask for a constructor with this descriptor. */
    boolean constructs(String descriptor) {
        return text.contains("<init>") && text.contains(descriptor);
    }

    /** Whether this is a text of its own, as C ends it. */
    boolean hasWord(String word) {
        return words.contains(word);
    }

    /** Whether this stands in it, be it the end or a part of another text. */
    boolean has(String part) {
        return text.contains(part);
    }

    /** Whether it implements a native method. */
    boolean implementsNatively(Method method) {
        String symbol = "Java_" + mangled(method.getDeclaringClass().getName()) + "_" + mangled(method.getName());
        return text.contains(symbol + "\0") || text.contains(symbol + "__");
    }

    private static String mangled(String name) {
        return name.replace("_", "_1").replace(".", "_").replace("$", "_00024");
    }
}
