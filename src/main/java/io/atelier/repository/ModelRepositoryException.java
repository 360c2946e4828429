package io.atelier.repository;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import org.jspecify.annotations.Nullable;

/** A repository that cannot be read or written at all. */
public class ModelRepositoryException extends Exception {
    private static final long serialVersionUID = 1;

    public ModelRepositoryException(String reason, @Nullable Throwable cause) {
        super(reason, cause);
    }

    /** Why, for people; without paths. */
    public String reason() {
        return String.valueOf(getMessage());
    }

    /** What went wrong with a file, without its path: the messages of these exceptions begin with it. */
    static String problem(IOException failure) {
        if (failure instanceof AccessDeniedException) {
            return "permission denied";
        }
        if (failure instanceof NoSuchFileException) {
            return "it is gone";
        }
        if (failure instanceof NotDirectoryException) {
            return "it is not a folder";
        }
        String reason = failure instanceof FileSystemException fileSystem ? fileSystem.getReason() : null;
        return reason == null ? "input/output error" : reason;
    }
}
