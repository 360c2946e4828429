package io.atelier.core;

/** What a model can be for, by its name in {@code model.yaml}. */
public enum TaskKind {
    TEXT_EMBEDDING("text-embedding", Medium.TEXT),
    TEXT_CLASSIFICATION("text-classification", Medium.TEXT),
    IMAGE_CLASSIFICATION("image-classification", Medium.IMAGE),
    OBJECT_DETECTION("object-detection", Medium.IMAGE);

    private final String word;
    private final Medium medium;

    TaskKind(String word, Medium medium) {
        this.word = word;
        this.medium = medium;
    }

    /** Its name in {@code model.yaml}. */
    public String word() {
        return word;
    }

    /** What it is asked with. */
    public Medium medium() {
        return medium;
    }

    /** What a task is asked with. */
    public enum Medium {
        TEXT,
        IMAGE
    }
}
