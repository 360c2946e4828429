package io.atelier.repository;

import java.util.stream.Stream;

/** A file that a configuration names, in a folder that is known. */
final class FolderFile {
    private FolderFile() {}

    /** Whether a name, with folders before it or not, leads to a place inside the folder in which it is looked up. */
    static boolean isInside(String name) {
        return !name.isBlank()
                && !name.contains("\\")
                && name.chars().noneMatch(c -> c < ' ' || c == 0x7F)
                && Stream.of(name.split("/", -1))
                        .noneMatch(part -> part.isEmpty() || part.equals(".") || part.equals(".."));
    }
}
