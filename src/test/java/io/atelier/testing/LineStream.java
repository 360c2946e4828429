package io.atelier.testing;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.HashMap;
import java.util.Iterator;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A POST whose body and answer are streams of lines, both open at once, with small socket buffers. One thread may send
 * while another reads.
 */
public final class LineStream implements AutoCloseable {
    private static final int SOCKET_BUFFER_BYTES = 16 << 10;
    private static final int BATCH_BYTES = 16 << 10;

    private final SocketChannel channel;
    private final Map<String, String> headers = new HashMap<>();
    private @Nullable InputStream in;
    private ByteBuffer unsent = ByteBuffer.allocate(0);
    private int status;
    private int chunkLeft;
    private boolean over;

    private LineStream(SocketChannel channel) {
        this.channel = channel;
    }

    /** Sends the head of a request with a chunked body. */
    public static LineStream open(URI service, String path) throws IOException {
        return open(service, path, "Transfer-Encoding: chunked");
    }

    /** Sends the head of a request; {@code headers} as they stand in it. */
    public static LineStream open(URI service, String path, String... headers) throws IOException {
        SocketChannel channel = SocketChannel.open();
        channel.setOption(StandardSocketOptions.SO_RCVBUF, SOCKET_BUFFER_BYTES);
        channel.setOption(StandardSocketOptions.SO_SNDBUF, SOCKET_BUFFER_BYTES);
        channel.connect(new InetSocketAddress(service.getHost(), service.getPort()));
        channel.socket().setSoTimeout(60_000);
        LineStream stream = new LineStream(channel);
        stream.sendRaw("POST " + path + " HTTP/1.1\r\nHost: a\r\n" + String.join("\r\n", headers) + "\r\n\r\n");
        return stream;
    }

    /** Sends a line as a chunk of its own. */
    public void send(String line) throws IOException {
        sendRaw(chunk(line + "\n"));
    }

    /** Sends bytes as they are. */
    public void sendRaw(String text) throws IOException {
        write(ByteBuffer.wrap(text.getBytes(UTF_8)));
    }

    /** Ends the body. */
    public void end() throws IOException {
        sendRaw("0\r\n\r\n");
    }

    /**
     * Sends lines until the other side takes no more for so long.
     *
     * @return how many were handed over
     */
    public int sendUntilStalled(Iterator<String> lines, Duration quiet) throws IOException {
        int sent = 0;
        channel.configureBlocking(false);
        try (Selector selector = Selector.open()) {
            SelectionKey key = channel.register(selector, SelectionKey.OP_WRITE);
            while (lines.hasNext() || unsent.hasRemaining()) {
                if (!unsent.hasRemaining()) {
                    StringBuilder batch = new StringBuilder();
                    while (lines.hasNext() && batch.length() < BATCH_BYTES) {
                        batch.append(lines.next()).append('\n');
                        sent++;
                    }
                    unsent = ByteBuffer.wrap(chunk(batch.toString()).getBytes(UTF_8));
                }
                selector.selectedKeys().clear();
                if (channel.write(unsent) == 0 && selector.select(quiet.toMillis()) == 0) {
                    break;
                }
            }
            key.cancel();
        }
        channel.configureBlocking(true);
        return sent;
    }

    /** Sends the rest, waiting as long as it takes, and ends the body. */
    public void sendAll(Iterator<String> lines) throws IOException {
        write(unsent);
        while (lines.hasNext()) {
            StringBuilder batch = new StringBuilder();
            while (lines.hasNext() && batch.length() < BATCH_BYTES) {
                batch.append(lines.next()).append('\n');
            }
            sendRaw(chunk(batch.toString()));
        }
        end();
    }

    /** The answer's status; waits for its head. */
    public int status() throws IOException {
        head();
        return status;
    }

    /** A header of the answer, by its name in lower case; null if it is not there. */
    public @Nullable String header(String name) throws IOException {
        head();
        return headers.get(name);
    }

    /** The next line of a chunked answer; null at its end. */
    public @Nullable String readLine() throws IOException {
        head();
        ByteArrayOutputStream line = new ByteArrayOutputStream();
        while (!over) {
            int next = readBody();
            if (next < 0) {
                break;
            }
            if (next == '\n') {
                return line.toString(UTF_8);
            }
            line.write(next);
        }
        return line.size() == 0 ? null : line.toString(UTF_8);
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }

    private static String chunk(String text) {
        return Integer.toHexString(text.getBytes(UTF_8).length) + "\r\n" + text + "\r\n";
    }

    private void write(ByteBuffer bytes) throws IOException {
        while (bytes.hasRemaining()) {
            channel.write(bytes);
        }
    }

    private InputStream head() throws IOException {
        InputStream stream = in;
        if (stream == null) {
            stream = new BufferedInputStream(channel.socket().getInputStream());
            in = stream;
            status = Integer.parseInt(headLine(stream).split(" ", 3)[1]);
            for (String line = headLine(stream); !line.isEmpty(); line = headLine(stream)) {
                String[] header = line.split(": *", 2);
                headers.put(header[0].toLowerCase(Locale.ROOT), header[1]);
            }
        }
        return stream;
    }

    private int readBody() throws IOException {
        InputStream stream = head();
        if (chunkLeft == 0) {
            chunkLeft = Integer.parseInt(headLine(stream), 16);
            if (chunkLeft == 0) {
                over = true;
                return -1;
            }
        }
        int next = stream.read();
        if (next < 0) {
            throw new EOFException("the answer breaks off");
        }
        if (--chunkLeft == 0) {
            headLine(stream);
        }
        return next;
    }

    private static String headLine(InputStream stream) throws IOException {
        StringBuilder line = new StringBuilder();
        int next = stream.read();
        while (next >= 0 && next != '\n') {
            if (next != '\r') {
                line.append((char) next);
            }
            next = stream.read();
        }
        if (next < 0) {
            throw new EOFException("the connection ended");
        }
        return line.toString();
    }
}
