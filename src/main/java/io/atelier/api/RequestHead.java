package io.atelier.api;

import io.netty.buffer.ByteBuf;
import java.net.URI;
import java.net.URISyntaxException;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** One request's head, read as far as the {@link HeadGuard} has to know it. Used by one thread. */
final class RequestHead {
    private static final String LENGTH = "content-length";
    private static final String CODING = "transfer-encoding";
    private static final String COMPRESSION = "content-encoding";
    private static final String UPGRADE = "upgrade";
    private static final int LONGEST_NAME = 64;

    /** Longer ones are refused by HTTP itself. */
    private static final int LONGEST_LINE = 8 << 10;

    /** Of a length that could be read. */
    private static final int MOST_DIGITS = 18;

    /** A body's length, if the head does not say it in bytes. */
    static final long UNKNOWN = -1;

    private final StringBuilder line = new StringBuilder();
    private final StringBuilder name = new StringBuilder();
    private final StringBuilder length = new StringBuilder();
    private boolean inValue;
    private boolean inLength;
    private boolean begun;
    private boolean complete;
    private int lengths;
    private int codings;
    private boolean compressed;
    private boolean upgrades;
    private @Nullable String addressRefusal;

    /** Reads on from there, to the head's end or that of the bytes, and returns where it ended. */
    int read(ByteBuf bytes, int from) {
        int at = from;
        while (at < bytes.writerIndex() && !complete) {
            char character = (char) Byte.toUnsignedInt(bytes.getByte(at++));
            if (begun) {
                read(character);
            } else {
                readLine(character);
            }
        }
        return at;
    }

    boolean isComplete() {
        return complete;
    }

    /** Why the head is refused, as far as it is there; null if it is not. */
    @Nullable
    String refusal() {
        if (lengths > 1 || (lengths > 0 && codings > 0)) {
            return "the request tells the length of its body more than once";
        }
        if (compressed && upgrades) {
            return "the request has Content-Encoding and Upgrade, and is read with one of them only";
        }
        return addressRefusal;
    }

    /** Of a complete one; HTTP/2's first bytes have the form of a head, and what follows is no other. */
    long bodyLength() {
        if (codings > 0 || length.length() > MOST_DIGITS || line.toString().startsWith("PRI ")) {
            return UNKNOWN;
        }
        return lengths == 0 ? 0 : number(length.toString().strip());
    }

    private static long number(String digits) {
        boolean decimal = !digits.isEmpty() && digits.chars().allMatch(digit -> digit >= '0' && digit <= '9');
        return decimal ? Long.parseLong(digits) : UNKNOWN;
    }

    /** Between the first line's two blanks; empty if it is not like that. */
    String address() {
        int from = line.indexOf(" ") + 1;
        int to = line.indexOf(" ", from);
        return from == 0 || to < 0 ? "" : line.substring(from, to);
    }

    private void readLine(char character) {
        if (character == '\n') {
            begun = !line.isEmpty();
            checkAddress();
        } else if (character != '\r' && line.length() < LONGEST_LINE) {
            line.append(character);
        }
    }

    private void checkAddress() {
        try {
            new URI(address());
        } catch (URISyntaxException e) {
            addressRefusal = "the address is no URI: %s, behind %d characters".formatted(e.getReason(), e.getIndex());
        }
    }

    private void read(char character) {
        if (character == '\n') {
            complete = !inValue && name.isEmpty();
            inValue = false;
            inLength = false;
            name.setLength(0);
        } else if (inLength && length.length() <= MOST_DIGITS) {
            length.append(character);
        } else if (character == ':' && !inValue) {
            inValue = true;
            String header = name.toString().strip().toLowerCase(Locale.ROOT);
            inLength = header.equals(LENGTH);
            lengths += inLength ? 1 : 0;
            codings += header.equals(CODING) ? 1 : 0;
            compressed |= header.equals(COMPRESSION);
            upgrades |= header.equals(UPGRADE);
        } else if (!inValue && character != '\r' && name.length() < LONGEST_NAME) {
            name.append(character);
        }
    }
}
