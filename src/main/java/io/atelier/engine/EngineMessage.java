package io.atelier.engine;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What an engine says of a failure, for people who do not know its machine: without the folders of this machine and
 * without the places in the engine's own source. What else begins with a slash, such as the names that exporters give to
 * nodes, stays.
 */
public final class EngineMessage {
    /** {@code /onnxruntime_src/…/reshape_helper.h:45 } in front of what went wrong there. */
    private static final Pattern SOURCE =
            Pattern.compile("(?:\\b[A-Za-z]:\\\\|/)[^\\s:]*\\.(?:cc|cpp|cxx|cu|cuh|h|hpp)\\b(?::\\d+)?:?\\s*");

    private static final Pattern PATH =
            Pattern.compile("(?<![\\w./])(/[^\\s/:'\"`,;()\\[\\]]+)(/[^\\s:'\"`,;()\\[\\]]*)");

    private EngineMessage() {}

    /** The message of the failure's first cause, cleaned; the kind of failure if it has none. */
    public static String of(Throwable failure) {
        return clean(rootMessage(failure));
    }

    /** The same of a failure that concerns a file or its neighbours, whatever their folder's name is made of. */
    public static String of(Throwable failure, Path file) {
        String path = file.toAbsolutePath().toString();
        String folder = path.substring(0, path.lastIndexOf('/') + 1);
        return clean(rootMessage(failure).replace(folder, ""));
    }

    private static String rootMessage(Throwable failure) {
        Throwable root = failure;
        while (root.getCause() != null) {
            root = root.getCause();
        }
        return root.getMessage() == null ? root.getClass().getSimpleName() : root.getMessage();
    }

    private static String clean(String message) {
        return PATH.matcher(SOURCE.matcher(message).replaceAll(""))
                .replaceAll(found -> Matcher.quoteReplacement(nameOf(found)))
                .strip();
    }

    /** The last part of a path of this machine; anything else as it is. */
    private static String nameOf(MatchResult found) {
        if (!Files.isDirectory(Path.of(found.group(1)))) {
            return found.group();
        }
        Path name = Path.of(found.group(2)).getFileName();
        return name == null ? "" : name.toString();
    }
}
