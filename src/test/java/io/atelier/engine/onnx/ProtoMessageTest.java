package io.atelier.engine.onnx;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

class ProtoMessageTest {
    @Test
    void readsWhatWasWritten() {
        byte[] bytes = new ProtoWriter()
                .varint(1, 300)
                .varint(1, -1)
                .string(2, "größer")
                .message(3, new ProtoWriter().varint(4, 5))
                .toBytes();
        ProtoMessage message = ProtoMessage.parse(bytes);
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
        ProtoMessage message = ProtoMessage.parse(
                new ProtoWriter().varint(1, 1).bytes(1, packed).toBytes());
        assertEquals(List.of(1L, 300L, 7L), message.varints(1));
    }

    @Test
    void copiesFieldsOfEveryWireType() {
        // A number in more bytes than it needs is legal, and must not be shortened.
        byte[] bytes = {
            0x08, (byte) 0x80, 0x00, 0x15, 1, 2, 3, 4, 0x19, 1, 2, 3, 4, 5, 6, 7, 8, 0x22, 2, 9, 9, (byte) 0xa0, 0x06, 1
        };
        ProtoWriter copy = new ProtoWriter();
        ProtoMessage.parse(bytes).fields().forEach(copy::field);
        assertArrayEquals(bytes, copy.toBytes());
    }

    @Test
    void refusesWhatEndsTooEarly() {
        byte[] bytes = new ProtoWriter().string(1, "abc").toBytes();
        for (int length = 1; length < bytes.length; length++) {
            byte[] cut = Arrays.copyOf(bytes, length);
            assertThrows(MalformedModelException.class, () -> ProtoMessage.parse(cut));
        }
        assertThrows(MalformedModelException.class, () -> ProtoMessage.parse(new byte[] {8, -1, -1}));
    }

    @Test
    void refusesWhatIsNoField() {
        assertThrows(MalformedModelException.class, () -> ProtoMessage.parse(new byte[] {0, 0}));
        assertThrows(MalformedModelException.class, () -> ProtoMessage.parse(new byte[] {0x0b}));
        ProtoMessage message = ProtoMessage.parse(new ProtoWriter().varint(1, 1).toBytes());
        assertThrows(MalformedModelException.class, () -> message.string(1));
    }
}
