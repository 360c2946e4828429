package io.atelier.testing;

import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;

/**
 * Writes a small TorchScript module as a file's bytes, so that a test needs no PyTorch to make one: an archive of the
 * module's source, its attributes in Python's pickle, no constants and no weights.
 */
public final class TorchScriptWriter {
    private TorchScriptWriter() {}

    /**
     * A module whose method {@code forward} is this.
     *
     * @param parameters such as {@code x: Tensor}
     * @param type       what it returns, such as {@code Tensor}
     * @param body       what it does, in TorchScript
     */
    public static byte[] module(String parameters, String type, String body) {
        String code = """
                class M(Module):
                  __parameters__ = []
                  __buffers__ = []
                  training : bool
                  def forward(self: __torch__.M,
                    %s) -> %s:
                    %s
                """.formatted(parameters, type, body);
        try (ByteArrayOutputStream bytes = new ByteArrayOutputStream();
                ZipOutputStream zip = new ZipOutputStream(bytes)) {
            zip.setMethod(ZipOutputStream.STORED);
            entry(zip, "data.pkl", attributes());
            entry(zip, "code/__torch__.py", code.getBytes(StandardCharsets.UTF_8));
            entry(zip, "constants.pkl", new byte[] {(byte) 0x80, 2, ')', '.'});
            entry(zip, "version", "3\n".getBytes(StandardCharsets.UTF_8));
            zip.finish();
            return bytes.toByteArray();
        } catch (IOException impossible) {
            throw new UncheckedIOException(impossible);
        }
    }

    /** A pickled object of the class, whose one attribute says that it is not being trained. */
    private static byte[] attributes() throws IOException {
        try (ByteArrayOutputStream bytes = new ByteArrayOutputStream();
                DataOutputStream pickle = new DataOutputStream(bytes)) {
            pickle.write(new byte[] {(byte) 0x80, 2}); // protocol 2
            pickle.writeBytes("c__torch__\nM\n"); // the class
            pickle.writeBytes(")\u0081"); // made of nothing
            pickle.writeBytes("}("); // a dictionary
            pickle.writeBytes("X\u0008\0\0\0training");
            pickle.write(0x89); // false
            pickle.writeBytes("ub."); // into the dictionary, into the object, the end
            return bytes.toByteArray();
        }
    }

    private static void entry(ZipOutputStream zip, String name, byte[] content) throws IOException {
        ZipEntry entry = new ZipEntry("m/" + name);
        CRC32 sum = new CRC32();
        sum.update(content);
        entry.setCrc(sum.getValue());
        entry.setSize(content.length);
        zip.putNextEntry(entry);
        zip.write(content);
        zip.closeEntry();
    }
}
