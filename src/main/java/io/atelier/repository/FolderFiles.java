package io.atelier.repository;

import java.util.Optional;

/** The files that lie beside {@code model.yaml}, as far as they are texts. */
@FunctionalInterface
interface FolderFiles {
    /** A folder without any. */
    FolderFiles NONE = name -> Optional.empty();

    /**
     * What a file holds; empty if there is none of this name.
     *
     * @throws ModelConfigException if it cannot be read
     */
    Optional<String> text(String name) throws ModelConfigException;
}
