package io.atelier.engine.onnx;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

class ProtoMessageTest {
    private static byte[] bytes(ProtoWriter writer) {
        return Parts.joined(writer.parts());
    }

    private static ProtoMessage parse(byte... bytes) {
        return ProtoMessage.parse(ByteBuffer.wrap(bytes));
    }

    @Test
    void readsWhatWasWritten() {
        ProtoMessage message = parse(bytes(new ProtoWriter()
                .varint(1, 300)
                .varint(1, -1)
                .string(2, "größer")
                .message(3, new ProtoWriter().varint(4, 5))));
        assertEquals(List.of(300L, -1L), message.varints(1));
        assertEquals(-1, message.varint(1));
        assertEquals("größer", message.string(2));
        assertEquals(5, message.messages(3).get(0).varint(4));
        assertEquals(0, message.varint(9));
        assertEquals("", message.string(9));
    }

    @Test
    void readsPackedNumbers() {
        byte[] packed = {(byte) 0xac, 0x02, 0x07};
        ProtoMessage message = parse(bytes(new ProtoWriter().varint(1, 1).bytes(1, packed)));
        assertEquals(List.of(1L, 300L, 7L), message.varints(1));
    }

    @Test
    void copiesFieldsOfEveryWireType() {
        // A number in more bytes than it needs is legal, and must not be shortened.
        byte[] bytes = {
            0x08, (byte) 0x80, 0x00, 0x15, 1, 2, 3, 4, 0x19, 1, 2, 3, 4, 5, 6, 7, 8, 0x22, 2, 9, 9, (byte) 0xa0, 0x06, 1
        };
        ProtoWriter copy = new ProtoWriter();
        parse(bytes).fields().forEach(copy::field);
        assertArrayEquals(bytes, bytes(copy));
    }

    @Test
    void whatIsLargeIsNotCopied() {
        ByteBuffer read = ByteBuffer.allocateDirect(1 << 20);
        ProtoWriter writer = new ProtoWriter().varint(1, 7);
        parse(bytes(new ProtoWriter().bytes(2, new byte[5]))).fields().forEach(writer::field);
        read.put(bytes(new ProtoWriter().bytes(3, new byte[(1 << 20) - 4])));
        ProtoMessage.parse(read.flip()).fields().forEach(writer::field);
        writer.string(4, "end");

        ProtoWriter outer = new ProtoWriter().message(5, writer);

        assertTrue(outer.parts().stream().anyMatch(part -> part.isDirect() && part.remaining() == 1 << 20));
        byte[] written = bytes(outer);
        assertEquals(outer.size(), written.length);
        ProtoMessage inner = parse(written).messages(5).get(0);
        assertEquals(7, inner.varint(1));
        assertEquals((1 << 20) - 4, inner.fields(3).get(0).bytes().remaining());
        assertEquals("end", inner.string(4));
    }

    @Test
    void refusesWhatEndsTooEarly() {
        byte[] bytes = bytes(new ProtoWriter().string(1, "abc"));
        for (int length = 1; length < bytes.length; length++) {
            byte[] cut = Arrays.copyOf(bytes, length);
            assertThrows(MalformedModelException.class, () -> parse(cut));
        }
        assertThrows(MalformedModelException.class, () -> parse(new byte[] {8, -1, -1}));
    }

    @Test
    void refusesWhatIsNoField() {
        assertThrows(MalformedModelException.class, () -> parse(new byte[] {0, 0}));
        assertThrows(MalformedModelException.class, () -> parse(new byte[] {0x0b}));
        ProtoMessage message = parse(bytes(new ProtoWriter().varint(1, 1)));
        assertThrows(MalformedModelException.class, () -> message.string(1));
    }
}
