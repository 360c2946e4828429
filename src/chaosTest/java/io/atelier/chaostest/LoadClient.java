package io.atelier.chaostest;

import io.netty.bootstrap.Bootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.nio.NioEventLoopGroup;
import io.netty.channel.socket.SocketChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * An HTTP client that costs little: one thread, keep-alive, one request at a time on each connection, as many
 * connections as there are requests on their way, up to {@value #MOST_CONNECTIONS}. It asks only {@link #request} and reads only the service's answers.
 *
 * <p>Thread-safe; callbacks run on the client's thread.
 */
final class LoadClient implements AutoCloseable {
    private static final int MOST_CONNECTIONS = 3000;

    private final EventLoopGroup loop = new NioEventLoopGroup(1);
    private final Deque<Connection> idle = new ArrayDeque<>(); // the loop's own
    private final Deque<Runnable> unsent = new ArrayDeque<>(); // the loop's own
    private int connections; // the loop's own
    private final Bootstrap bootstrap;
    private final AtomicLong unsolicited = new AtomicLong();

    /** How an exchange ends; exactly one method is called, once. */
    interface Callback {
        /**
         * There is an answer.
         *
         * @param retryAfter seconds; -1 if there was no such header
         */
        void answered(int status, long retryAfter, String body);

        /** No connection could be made, so the service never saw the request. */
        void refused();

        /** The connection ended before there was an answer. */
        void closed();
    }

    LoadClient(int port) {
        bootstrap = new Bootstrap()
                .group(loop)
                .channel(NioSocketChannel.class)
                .option(ChannelOption.TCP_NODELAY, true)
                .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, 5000)
                .remoteAddress(new InetSocketAddress(InetAddress.getLoopbackAddress(), port))
                .handler(new ChannelInitializer<SocketChannel>() {
                    @Override
                    protected void initChannel(SocketChannel channel) {
                        channel.pipeline().addLast("connection", new Connection(channel));
                    }
                });
    }

    /** The bytes that ask for {@code number + 1}. */
    static byte[] request(long number, double timeoutSeconds) {
        String body = "{\"inputs\":[{\"name\":\"x\",\"shape\":[1,1],\"datatype\":\"FP32\",\"data\":[" + number + "]}]}";
        return ("POST /v2/models/add/infer HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                        + "Request-Timeout: "
                        + String.format(Locale.ROOT, "%.6f", timeoutSeconds)
                        + "\r\nContent-Length: "
                        + body.length() + "\r\n\r\n" + body)
                .getBytes(StandardCharsets.US_ASCII);
    }

    /** The number in an answer to {@link #request}; NaN if there is none. */
    static double number(String body) {
        int data = body.indexOf("\"data\":[");
        int end = body.indexOf(']', data);
        return data < 0 || end < 0 ? Double.NaN : Double.parseDouble(body.substring(data + 8, end));
    }

    /** Sends, over a connection that is idle or a new one. */
    void send(byte[] request, Callback callback) {
        loop.execute(() -> exchange(request, callback, -1));
    }

    /** Sends over a connection of its own, and hangs up after a while if there is no answer. */
    void sendAndHangUp(byte[] request, Callback callback, long afterMillis) {
        loop.execute(() -> exchange(request, callback, afterMillis));
    }

    /** Bytes that came when nothing was asked: second answers. */
    long unsolicited() {
        return unsolicited.get();
    }

    private void exchange(byte[] request, Callback callback, long hangUpMillis) {
        Connection connection = hangUpMillis < 0 ? idle.pollFirst() : null;
        if (connection != null) {
            connection.exchange(request, callback);
            return;
        }
        if (connections >= MOST_CONNECTIONS) {
            unsent.addLast(() -> exchange(request, callback, hangUpMillis));
            return;
        }
        connections++;
        var unused = bootstrap.connect().addListener((ChannelFuture connected) -> {
            if (!connected.isSuccess()) {
                connections--;
                callback.refused();
                return;
            }
            Connection made = (Connection) connected.channel().pipeline().get("connection");
            made.exchange(request, callback);
            if (hangUpMillis >= 0) {
                var unusedAlarm = loop.schedule(() -> made.hangUp(callback), hangUpMillis, TimeUnit.MILLISECONDS);
            }
        });
    }

    private void sendNext() {
        Runnable next = unsent.pollFirst();
        if (next != null) {
            next.run();
        }
    }

    @Override
    public void close() {
        loop.shutdownGracefully(0, 1, TimeUnit.SECONDS).syncUninterruptibly();
    }

    /** One connection, and the exchange on it. */
    private final class Connection extends ChannelInboundHandlerAdapter {
        private final Channel channel;
        private final ByteBuf received = Unpooled.buffer(1024);
        private @Nullable Callback waiting;

        Connection(Channel channel) {
            this.channel = channel;
        }

        void exchange(byte[] request, Callback callback) {
            waiting = callback;
            var unused = channel.writeAndFlush(Unpooled.wrappedBuffer(request));
        }

        @Override
        public void channelRead(ChannelHandlerContext context, Object message) {
            ByteBuf bytes = (ByteBuf) message;
            Callback callback = waiting;
            if (callback == null) {
                unsolicited.addAndGet(bytes.readableBytes());
                bytes.release();
                return;
            }
            received.writeBytes(bytes);
            bytes.release();
            String text = received.toString(StandardCharsets.ISO_8859_1);
            int head = text.indexOf("\r\n\r\n");
            if (head < 0) {
                return;
            }
            String headers = text.substring(0, head + 2).toLowerCase(Locale.ROOT);
            int length = (int) header(headers, "content-length", 0);
            if (text.length() < head + 4 + length) {
                return;
            }
            unsolicited.addAndGet(text.length() - head - 4 - length);
            received.clear();
            waiting = null;
            if (headers.contains("\r\nconnection: close\r\n")) {
                var unused = channel.close();
            } else {
                idle.addFirst(this);
                sendNext();
            }
            callback.answered(
                    Integer.parseInt(text.substring(9, 12)),
                    header(headers, "retry-after", -1),
                    text.substring(head + 4, head + 4 + length));
        }

        /** Unless there was an answer: the connection may serve another request by now. */
        void hangUp(Callback callback) {
            if (waiting == callback) {
                var unused = channel.close();
            }
        }

        @Override
        public void channelInactive(ChannelHandlerContext context) {
            idle.remove(this);
            connections--;
            received.release();
            Callback callback = waiting;
            waiting = null;
            if (callback != null) {
                callback.closed();
            }
            sendNext();
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext context, Throwable reset) {
            var unused = context.close();
        }
    }

    private static long header(String headers, String name, long absent) {
        int at = headers.indexOf("\r\n" + name + ":");
        if (at < 0) {
            return absent;
        }
        int from = at + name.length() + 3;
        return Long.parseLong(
                headers.substring(from, headers.indexOf("\r\n", from)).strip());
    }
}
