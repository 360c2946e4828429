/**
 * The model repository: folders, versions and their configuration; loading and warming up. Reads files once and hands
 * out immutable values. Uses {@code engine} and {@code core}.
 */
@NullMarked
package io.atelier.repository;

import org.jspecify.annotations.NullMarked;
