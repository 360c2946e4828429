package io.atelier.api;

import io.atelier.core.ErrorCode;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.ssl.AbstractSniHandler;
import io.netty.handler.ssl.SslHandler;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Locale;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Watches over the heads of the requests of one connection, before HTTP reads them. A head that does not arrive in time
 * closes the connection, however steadily its bytes come. One that tells its body's length twice is refused, since two
 * servers in a row could understand it differently. So is one whose address is no URI, which Quarkus would refuse without
 * saying why, and one with a compressed body that upgrades the connection, since Vert.x would pass its body on compressed.
 *
 * <p>Used by the connection's event loop alone. Of pipelined requests it sees the first: where the next begins only a
 * second reader of bodies could tell, and one that disagrees with Netty's would be worse than none. Netty itself refuses
 * two lengths, without a word. Behind TLS it sees only the time.
 *
 * @see <a href="https://www.rfc-editor.org/rfc/rfc9112#section-6.3">RFC 9112, message body length</a>
 */
final class HeadGuard extends ChannelInboundHandlerAdapter {
    private final Duration timeout;
    private Head head = new Head();
    private @Nullable Future<?> timer;
    private boolean inRequest;

    HeadGuard(Duration timeout) {
        this.timeout = timeout;
    }

    /** A head is complete. */
    void requestBegan() {
        inRequest = true;
        disarm();
    }

    /** Its answer is on its way; what comes next is another head. */
    void requestEnded() {
        inRequest = false;
        head = new Head();
    }

    @Override
    public void channelActive(ChannelHandlerContext context) {
        arm(context);
        context.fireChannelActive();
    }

    @Override
    public void channelInactive(ChannelHandlerContext context) {
        disarm();
        context.fireChannelInactive();
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
        if (!inRequest) {
            arm(context);
            if (message instanceof ByteBuf bytes && !isEncrypted(context)) {
                String reason = head.refusal(bytes);
                if (reason != null) {
                    bytes.release();
                    refuse(context, reason);
                    return;
                }
            }
        }
        context.fireChannelRead(message);
    }

    /** Asked for what arrives, since who decrypts joins the connection after the guard, or behind a proxy's first line. */
    private static boolean isEncrypted(ChannelHandlerContext context) {
        return context.pipeline().get(SslHandler.class) != null
                || context.pipeline().get(AbstractSniHandler.class) != null;
    }

    private void arm(ChannelHandlerContext context) {
        if (timer == null) {
            timer = context.executor().schedule(() -> close(context), timeout.toNanos(), TimeUnit.NANOSECONDS);
        }
    }

    private static void close(ChannelHandlerContext context) {
        var unused = context.close();
    }

    private void disarm() {
        if (timer != null) {
            timer.cancel(false);
            timer = null;
        }
    }

    private void refuse(ChannelHandlerContext context, String reason) {
        byte[] body = Problem.of(ErrorCode.INVALID_INPUT, reason, null).json(head.address());
        String answer =
                "HTTP/1.1 400 Bad Request\r\ncontent-type: %s\r\ncontent-length: %d\r\nconnection: close\r\n\r\n"
                        .formatted(Problem.MEDIA_TYPE, body.length);
        var unused = context.writeAndFlush(Unpooled.wrappedBuffer(answer.getBytes(StandardCharsets.US_ASCII), body))
                .addListener(ChannelFutureListener.CLOSE);
    }

    /** One head, read as far as its first line and the names of its headers. */
    private static final class Head {
        private static final String LENGTH = "content-length";
        private static final String CODING = "transfer-encoding";
        private static final String COMPRESSION = "content-encoding";
        private static final String UPGRADE = "upgrade";
        private static final int LONGEST_NAME = 64;

        /** Longer ones are refused by HTTP itself. */
        private static final int LONGEST_LINE = 8 << 10;

        private final StringBuilder line = new StringBuilder();
        private final StringBuilder name = new StringBuilder();
        private boolean inValue;
        private boolean begun;
        private boolean complete;
        private int lengths;
        private int codings;
        private boolean compressed;
        private boolean upgrades;
        private @Nullable String addressRefusal;

        /** Why the head is refused, as far as it is there; null if it is not. */
        @Nullable
        String refusal(ByteBuf bytes) {
            for (int at = bytes.readerIndex(); at < bytes.writerIndex() && !complete; at++) {
                char character = (char) Byte.toUnsignedInt(bytes.getByte(at));
                if (begun) {
                    read(character);
                } else {
                    readLine(character);
                }
            }
            if (lengths > 1 || (lengths > 0 && codings > 0)) {
                return "the request tells the length of its body more than once";
            }
            if (compressed && upgrades) {
                return "the request has Content-Encoding and Upgrade, and is read with one of them only";
            }
            return addressRefusal;
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
                addressRefusal =
                        "the address is no URI: %s, behind %d characters".formatted(e.getReason(), e.getIndex());
            }
        }

        private void read(char character) {
            if (character == '\n') {
                complete = !inValue && name.isEmpty();
                inValue = false;
                name.setLength(0);
            } else if (character == ':' && !inValue) {
                inValue = true;
                String header = name.toString().strip().toLowerCase(Locale.ROOT);
                lengths += header.equals(LENGTH) ? 1 : 0;
                codings += header.equals(CODING) ? 1 : 0;
                compressed |= header.equals(COMPRESSION);
                upgrades |= header.equals(UPGRADE);
            } else if (!inValue && character != '\r' && name.length() < LONGEST_NAME) {
                name.append(character);
            }
        }
    }
}
