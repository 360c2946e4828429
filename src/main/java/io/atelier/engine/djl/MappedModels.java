package io.atelier.engine.djl;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;

/** Models as mapped memory: whatever their size, none of it is on the heap. */
final class MappedModels {
    private MappedModels() {}

    /**
     * The file, to read. It must not be cut off while it is read.
     *
     * @throws IOException also if it is larger than 2 GiB, which no model is: larger ones keep their weights beside it
     */
    static ByteBuffer map(Path file) throws IOException {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
            return map(channel);
        }
    }

    /**
     * A part of a file of weights beside the model, to read.
     *
     * @throws IOException also if the location leaves the folder
     */
    static ByteBuffer weights(Path folder, String location, long offset, long length) throws IOException {
        Path file = folder.resolve(location).normalize();
        if (!file.startsWith(folder.normalize())) {
            throw new IOException("it leaves the model's folder");
        }
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
            if (offset < 0 || length < 0 || length > channel.size() - offset) {
                throw new IOException("it ends too early");
            }
            return channel.map(MapMode.READ_ONLY, offset, length);
        }
    }

    /** A model that is made of parts, through a temporary file that is gone when this returns. */
    static ByteBuffer join(List<ByteBuffer> parts) throws IOException {
        Path file = Files.createTempFile("atelier-", ".onnx");
        try (FileChannel channel = FileChannel.open(
                file, StandardOpenOption.READ, StandardOpenOption.WRITE, StandardOpenOption.DELETE_ON_CLOSE)) {
            for (ByteBuffer part : parts) {
                while (part.hasRemaining()) {
                    channel.write(part);
                }
            }
            return map(channel);
        }
    }

    private static ByteBuffer map(FileChannel channel) throws IOException {
        if (channel.size() > Integer.MAX_VALUE) {
            throw new IOException("a model has at most 2 GiB, larger weights lie in files beside it");
        }
        return channel.map(MapMode.READ_ONLY, 0, channel.size());
    }
}
