package io.atelier.api;

import io.atelier.core.ErrorCode;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.ssl.AbstractSniHandler;
import io.netty.handler.ssl.SslHandler;
import io.netty.util.ReferenceCountUtil;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Watches over the heads of the requests of one connection, before HTTP reads them. A head that does not arrive in time
 * closes the connection, however steadily its bytes come. One that tells its body's length twice is refused, since two
 * servers in a row could understand it differently. So is one whose address is no URI, which Quarkus would refuse without
 * saying why, and one with a compressed body that upgrades the connection, since Vert.x would pass its body on compressed.
 *
 * <p>Used by the connection's event loop alone. Bodies pass unread, also those that still come when their request is
 * answered: a length says where the next head begins, and of one in chunks, which only HTTP can tell, the request says it.
 * A head that comes before the request in front of it is answered is left to HTTP, since a refusal would be taken for that
 * answer; Netty refuses two lengths in its turn, without a word. Behind TLS the guard sees only the time.
 *
 * @see <a href="https://www.rfc-editor.org/rfc/rfc9112#section-6.3">RFC 9112, message body length</a>
 */
final class HeadGuard extends ChannelInboundHandlerAdapter {
    private final Duration timeout;
    private RequestHead head = new RequestHead();
    private long bodyLeft;
    private @Nullable Future<?> timer;
    private boolean inRequest;
    private boolean refused;
    private BooleanSupplier complete = () -> false;

    HeadGuard(Duration timeout) {
        this.timeout = timeout;
    }

    /**
     * A head is complete.
     *
     * @param complete whether its request's body has come to its end, asked until it says yes
     */
    void requestBegan(BooleanSupplier complete) {
        this.complete = complete;
        inRequest = true;
        disarm();
    }

    /** Its answer is on its way. What comes next is another head, or first the rest of its body. */
    void requestEnded() {
        inRequest = false;
        if (complete.getAsBoolean()) {
            complete = () -> true; // and the request is not kept for as long as the connection is
        }
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
        if (refused) {
            ReferenceCountUtil.release(message);
            return;
        }
        if (!inRequest) {
            arm(context);
        }
        if (message instanceof ByteBuf bytes && !isEncrypted(context)) {
            String reason = read(bytes);
            if (reason != null) {
                bytes.release();
                refuse(context, reason);
                return;
            }
        }
        context.fireChannelRead(message);
    }

    /** Why what begins with these bytes, or began before them, is refused; null if it is not. */
    private @Nullable String read(ByteBuf bytes) {
        boolean answered = !inRequest;
        int at = bytes.readerIndex();
        while (at < bytes.writerIndex()) {
            if (bodyLeft == RequestHead.UNKNOWN) {
                if (!answered || !complete.getAsBoolean()) {
                    return null;
                }
                bodyLeft = 0;
            }
            if (bodyLeft > 0) {
                int passed = (int) Math.min(bodyLeft, bytes.writerIndex() - at);
                at += passed;
                bodyLeft -= passed;
                if (bodyLeft == 0 && at == bytes.writerIndex()) {
                    disarm();
                }
                continue;
            }
            at = head.read(bytes, at);
            if (answered && head.refusal() != null) {
                return head.refusal();
            }
            if (head.isComplete()) {
                bodyLeft = head.bodyLength();
                head = new RequestHead();
                answered = false;
            }
        }
        return null;
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

    /** Then reads on for a moment, as {@link LingeringClose} does, and for its reason. */
    private void refuse(ChannelHandlerContext context, String reason) {
        byte[] body = Problem.of(ErrorCode.INVALID_INPUT, reason, null).json(head.address());
        String answer =
                "HTTP/1.1 400 Bad Request\r\ncontent-type: %s\r\ncontent-length: %d\r\nconnection: close\r\n\r\n"
                        .formatted(Problem.MEDIA_TYPE, body.length);
        refused = true;
        var unused = context.writeAndFlush(Unpooled.wrappedBuffer(answer.getBytes(StandardCharsets.US_ASCII), body));
        disarm();
        timer = context.executor().schedule(() -> close(context), LingeringClose.LINGER_MILLIS, TimeUnit.MILLISECONDS);
    }
}
