package io.atelier.repository;

import io.atelier.core.DataType;
import io.atelier.core.ModelSignature;
import io.atelier.core.TensorSpec;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** What a model is for, beyond tensors in and tensors out. Immutable. */
public sealed interface TaskConfig {
    /**
     * Texts become vectors: tokens in, one vector of each text out.
     *
     * @param tokenizer name of the tokenizer's file in the model's folder
     * @param maxTokens most tokens of one text, special ones included; longer texts are cut
     * @param pooling   how the vectors of the tokens become one; without effect where the model pools itself
     * @param normalize whether vectors are scaled to length 1
     * @param output    the output to read; empty where the model has only one that fits
     */
    record TextEmbedding(String tokenizer, int maxTokens, Pooling pooling, boolean normalize, Optional<String> output)
            implements TaskConfig {
        public static final String NAME = "text-embedding";
        public static final String DEFAULT_TOKENIZER = "tokenizer.json";
        public static final int DEFAULT_MAX_TOKENS = 512;

        /** The input that takes the token ids; the model must have it. */
        public static final String INPUT_IDS = "input_ids";

        /** The input that is 1 where there is a token. */
        public static final String ATTENTION_MASK = "attention_mask";

        /** The input that tells apart the two texts of a pair; 0 here. */
        public static final String TOKEN_TYPE_IDS = "token_type_ids";

        /** The inputs that can be made from a text; a model that asks for any other does not fit. */
        public static final Set<String> INPUTS = Set.of(INPUT_IDS, ATTENTION_MASK, TOKEN_TYPE_IDS);

        public TextEmbedding {
            if (!isFileName(tokenizer)) {
                throw new IllegalArgumentException("tokenizer \"" + tokenizer + "\" is not a file name");
            }
            if (maxTokens < 1) {
                throw new IllegalArgumentException("at most " + maxTokens + " tokens leave nothing to embed");
            }
        }

        /** The output that holds the vectors: the one named, or the only one that fits; empty if there is none. */
        public Optional<TensorSpec> outputOf(ModelSignature signature) {
            if (output.isPresent()) {
                return signature.output(output.get()).filter(TextEmbedding::holdsVectors);
            }
            List<TensorSpec> fitting = outputsThatFit(signature);
            return fitting.size() == 1 ? Optional.of(fitting.get(0)) : Optional.empty();
        }

        static List<TensorSpec> outputsThatFit(ModelSignature signature) {
            return signature.outputs().stream()
                    .filter(TextEmbedding::holdsVectors)
                    .toList();
        }

        /** Whether it is FP32 [batch, sequence, d] or [batch, d]. */
        private static boolean holdsVectors(TensorSpec spec) {
            int rank = spec.shape().rank();
            return spec.dataType() == DataType.FP32 && (rank == 2 || rank == 3);
        }

        static boolean isFileName(String name) {
            return !name.isBlank()
                    && !name.equals(".")
                    && !name.equals("..")
                    && name.chars().noneMatch(c -> c == '/' || c == '\\' || c < ' ');
        }
    }

    /** How the vectors of a text's tokens become one. */
    enum Pooling {
        /** Their mean, over the tokens that the mask keeps. */
        MEAN,
        /** That of the first token. */
        CLS
    }
}
