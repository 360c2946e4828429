package io.atelier.core;

/** A model version: the folder's name and the version folder's name. */
public record ModelId(String name, String version) {
    @Override
    public String toString() {
        return name + "/" + version;
    }
}
