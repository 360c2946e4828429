package io.atelier.access;

/**
 * Who holds an API key.
 *
 * @param name  the name of the key's file
 * @param admin whether the caller may load and unload models
 */
public record Caller(String name, boolean admin) {}
