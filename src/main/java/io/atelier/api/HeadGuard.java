package io.atelier.api;

import io.atelier.core.ErrorCode;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Locale;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Watches over the heads of the requests of one connection, before HTTP reads them. A head that does not arrive in time
 * closes the connection, however steadily its bytes come. One that tells its body's length twice is refused, since two
 * servers in a row could understand it differently.
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
            if (message instanceof ByteBuf bytes && head.tellsTwoLengths(bytes)) {
                bytes.release();
                refuse(context);
                return;
            }
        }
        context.fireChannelRead(message);
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

    private static void refuse(ChannelHandlerContext context) {
        Problem problem =
                Problem.of(ErrorCode.INVALID_INPUT, "the request tells the length of its body more than once", null);
        byte[] body = problem.json("");
        String answer =
                "HTTP/1.1 400 Bad Request\r\ncontent-type: %s\r\ncontent-length: %d\r\nconnection: close\r\n\r\n"
                        .formatted(Problem.MEDIA_TYPE, body.length);
        var unused = context.writeAndFlush(Unpooled.wrappedBuffer(answer.getBytes(StandardCharsets.US_ASCII), body))
                .addListener(ChannelFutureListener.CLOSE);
    }

    /** One head, read as far as the names of its headers. */
    private static final class Head {
        private static final String LENGTH = "content-length";
        private static final String CODING = "transfer-encoding";
        private static final int LONGEST_NAME = 64;

        private final StringBuilder name = new StringBuilder();
        private boolean inValue;
        private boolean begun;
        private boolean complete;
        private int lengths;
        private int codings;

        boolean tellsTwoLengths(ByteBuf bytes) {
            for (int at = bytes.readerIndex(); at < bytes.writerIndex() && !complete; at++) {
                read((char) Byte.toUnsignedInt(bytes.getByte(at)));
            }
            return lengths > 1 || (lengths > 0 && codings > 0);
        }

        private void read(char character) {
            if (character == '\n') {
                boolean empty = !inValue && name.isEmpty();
                complete = empty && begun;
                begun |= !empty;
                inValue = false;
                name.setLength(0);
            } else if (character == ':' && !inValue) {
                inValue = true;
                String header = name.toString().strip().toLowerCase(Locale.ROOT);
                lengths += header.equals(LENGTH) ? 1 : 0;
                codings += header.equals(CODING) ? 1 : 0;
            } else if (!inValue && character != '\r' && name.length() < LONGEST_NAME) {
                name.append(character);
            }
        }
    }
}
