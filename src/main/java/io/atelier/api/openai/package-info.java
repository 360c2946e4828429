/** Embeddings in OpenAI's form, so that clients written for it need another base URL and nothing else. */
@NullMarked
package io.atelier.api.openai;

import org.jspecify.annotations.NullMarked;
