package io.atelier.conformance;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.net.URI;
import java.time.Duration;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A connection for requests that no HTTP client would send. Not thread-safe. */
public final class RawConnection implements AutoCloseable {
    private final Socket socket;
    private final InputStream in;
    private final String host;
    private final Duration patience;

    private RawConnection(Socket socket, String host, Duration patience) throws IOException {
        this.socket = socket;
        this.in = new BufferedInputStream(socket.getInputStream());
        this.host = host;
        this.patience = patience;
    }

    public static RawConnection open(URI base, Duration patience) throws IOException {
        if (!"http".equals(base.getScheme())) {
            throw new NotApplicable("raw requests go over plain http alone");
        }
        int port = base.getPort() < 0 ? 80 : base.getPort();
        Socket socket = new Socket();
        socket.setTcpNoDelay(true);
        socket.connect(new InetSocketAddress(base.getHost(), port), 10_000);
        socket.setSoTimeout((int) patience.toMillis());
        return new RawConnection(socket, base.getHost() + ":" + port, patience);
    }

    /** For the header {@code Host}. */
    String host() {
        return host;
    }

    /** Sends as much as the server takes; one that answers and closes early is free to. */
    public RawConnection send(byte[] bytes) {
        try {
            socket.getOutputStream().write(bytes);
            socket.getOutputStream().flush();
        } catch (IOException closed) {
            // what it answered before can still be read
        }
        return this;
    }

    RawConnection send(String text) {
        return send(text.getBytes(ISO_8859_1));
    }

    /** Nothing more will be sent. */
    public RawConnection endOfRequest() throws IOException {
        try {
            socket.shutdownOutput();
        } catch (SocketException closed) {
            // by the other side
        }
        return this;
    }

    /**
     * The next final answer; null if the server closes the connection instead.
     *
     * @throws Failure if it does neither in time
     */
    public @Nullable Answer answer() throws IOException {
        try {
            Answer answer = read();
            while (answer != null && answer.status() < 200) {
                answer = read();
            }
            return answer;
        } catch (SocketTimeoutException late) {
            throw new Failure("an answer or a closed connection within " + patience.toSeconds() + " s", "neither");
        } catch (SocketException reset) {
            return null;
        }
    }

    /** Demands a refusal of the caller's kind, or a closed connection. */
    void refusedOrClosed() throws IOException {
        Answer answer = answer();
        if (answer != null && (answer.status() < 400 || answer.status() > 499)) {
            throw new Failure("a status from 400 to 499, or a closed connection", answer.toString());
        }
    }

    private @Nullable Answer read() throws IOException {
        String first = line();
        if (first == null) {
            return null;
        }
        if (!first.matches("HTTP/1\\.[01] \\d{3}.*")) {
            throw new Failure("an answer in HTTP/1.1", first);
        }
        int status = Integer.parseInt(first.substring(9, 12));
        Map<String, String> headers = new HashMap<>();
        for (String line = line(); line != null && !line.isEmpty(); line = line()) {
            int colon = line.indexOf(':');
            headers.put(
                    line.substring(0, Math.max(0, colon)).toLowerCase(Locale.ROOT),
                    line.substring(colon + 1).strip());
        }
        return new Answer(status, headers, body(status, headers));
    }

    private byte[] body(int status, Map<String, String> headers) throws IOException {
        if (status < 200 || status == 204 || status == 304) {
            return new byte[0];
        }
        if ("chunked".equalsIgnoreCase(headers.get("transfer-encoding"))) {
            return chunks();
        }
        String length = headers.get("content-length");
        return length == null ? in.readAllBytes() : in.readNBytes(Integer.parseInt(length));
    }

    private byte[] chunks() throws IOException {
        ByteArrayOutputStream body = new ByteArrayOutputStream();
        while (true) {
            String size = line();
            int bytes = size == null ? 0 : Integer.parseInt(size.strip(), 16);
            body.writeBytes(in.readNBytes(bytes));
            String end = line();
            if (bytes == 0 || end == null) {
                return body.toByteArray();
            }
        }
    }

    private @Nullable String line() throws IOException {
        ByteArrayOutputStream line = new ByteArrayOutputStream();
        for (int next = in.read(); next != '\n'; next = in.read()) {
            if (next < 0) {
                return null;
            }
            line.write(next);
        }
        String text = line.toString(ISO_8859_1);
        return text.endsWith("\r") ? text.substring(0, text.length() - 1) : text;
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
