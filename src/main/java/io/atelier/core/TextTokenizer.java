package io.atelier.core;

import java.util.List;

/** Turns texts into the token tensors of one model. Thread-safe. */
public interface TextTokenizer {
    /** Token ids of each text, special tokens included, cut at {@link #maxTokens()}; never padded. */
    List<long[]> encode(List<String> texts);

    /** Most tokens of one text, special tokens included. */
    int maxTokens();
}
