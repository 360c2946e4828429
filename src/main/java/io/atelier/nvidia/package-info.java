/**
 * What the NVIDIA driver says of the GPUs: which ones this process may use, and how they are. Its two libraries,
 * {@code libcuda} and {@code libnvidia-ml}, are called through JNA, and need not be there. Uses {@code core}.
 */
@NullMarked
package io.atelier.nvidia;

import org.jspecify.annotations.NullMarked;
