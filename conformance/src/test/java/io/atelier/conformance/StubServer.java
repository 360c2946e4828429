package io.atelier.conformance;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.io.BufferedInputStream;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.zip.GZIPInputStream;
import java.util.zip.InflaterInputStream;
import java.util.zip.ZipException;
import org.jspecify.annotations.Nullable;

/**
 * A small server of the protocol with all its extensions, for the suite to be tried on; it may have a fault. Here is its
 * HTTP: a thread for each connection.
 */
final class StubServer implements AutoCloseable {
    static final Set<String> EXTENSIONS = Set.of(
            "binary_tensor_data",
            "classification",
            "model_configuration",
            "model_repository",
            "schedule_policy",
            "statistics");

    private static final Set<String> CODINGS = Set.of("gzip", "deflate");
    private static final int READ_TIMEOUT_MILLIS = 300;
    private static final int LONG_TIMEOUT_MILLIS = 1200;
    private static final int FEW_CONNECTIONS = 200;
    private static final int QUEUE = 4;
    private static final int MOST_HEAD_BYTES = 64 << 10;
    private static final int MOST_BODY_BYTES = 8 << 20;

    private final ServerSocket socket = new ServerSocket(0, 400, InetAddress.getLoopbackAddress());
    private final ExecutorService threads;
    private final Semaphore queue = new Semaphore(QUEUE);
    private final Semaphore refusals = new Semaphore(0);
    private final @Nullable Fault fault;
    private final StubProtocol protocol;

    StubServer(@Nullable Fault fault, Set<String> extensions) throws IOException {
        this.fault = fault;
        this.protocol = new StubProtocol(fault, extensions);
        this.threads = fault == Fault.FEW_CONNECTIONS
                ? Executors.newFixedThreadPool(FEW_CONNECTIONS, StubServer::thread)
                : Executors.newCachedThreadPool(StubServer::thread);
        threads.execute(this::accept);
    }

    private static Thread thread(Runnable task) {
        Thread thread = new Thread(task, "stub server");
        thread.setDaemon(true);
        return thread;
    }

    URI url() {
        return URI.create("http://localhost:" + socket.getLocalPort());
    }

    @Override
    public void close() throws IOException {
        socket.close();
        threads.shutdownNow();
    }

    private void accept() {
        try {
            while (true) {
                Socket connection = socket.accept();
                threads.execute(() -> serve(connection));
            }
        } catch (IOException closed) {
            // by the test
        }
    }

    private void serve(Socket connection) {
        try (connection) {
            connection.setTcpNoDelay(true);
            InputStream in = new BufferedInputStream(connection.getInputStream());
            OutputStream out = connection.getOutputStream();
            exchanges(connection, in, out);
        } catch (IOException gone) {
            // the client, or the test
        }
    }

    private void exchanges(Socket connection, InputStream in, OutputStream out) throws IOException {
        StubRequest last = null;
        try {
            for (StubRequest next = exchange(connection, in, out); next != null; next = exchange(connection, in, out)) {
                last = next;
            }
        } finally {
            if (last != null && fault == Fault.LEAVING_COUNTS) {
                protocol.left(last);
            }
        }
    }

    /** A refusal of HTTP's, after which the connection is closed. */
    private static final class Refused extends IOException {
        private static final long serialVersionUID = 1;

        private final int status;

        Refused(int status) {
            this.status = status;
        }
    }

    /** The request that was answered; null if the connection is over. */
    private @Nullable StubRequest exchange(Socket connection, InputStream in, OutputStream out) throws IOException {
        try {
            List<String> head = head(in);
            if (head.isEmpty()) {
                return null;
            }
            String[] first = head.get(0).split(" ", -1);
            if (first.length != 3 || !first[2].equals("HTTP/1.1")) {
                throw new Refused(400);
            }
            if (first[1].length() > 8192) {
                throw new Refused(414);
            }
            StubRequest request = new StubRequest(first[0], first[1], head.subList(1, head.size()));
            connection.setSoTimeout(readTimeout());
            byte[] body = decoded(request, body(request, in, out));
            connection.setSoTimeout(0);
            write(out, answer(request, body), request.header("accept-encoding"), false);
            return request;
        } catch (Refused refused) {
            write(out, protocol.error(refused.status, "malformed HTTP"), null, true);
            return null;
        } catch (SocketTimeoutException late) {
            write(out, protocol.error(408, "the body took too long"), null, true);
            return null;
        }
    }

    private int readTimeout() {
        if (fault == Fault.WAITS_FOR_EVER) {
            return 0;
        }
        return fault == Fault.FEW_CONNECTIONS ? LONG_TIMEOUT_MILLIS : READ_TIMEOUT_MILLIS;
    }

    /** The slow model takes until another request for it is refused, or a second. */
    private StubAnswer answer(StubRequest request, byte[] body) throws IOException {
        if (!request.path().equals(Server.inferPath(StubProtocol.SLOW))) {
            return protocol.answer(request, body);
        }
        if (fault != Fault.QUEUE_WITHOUT_END && !queue.tryAcquire()) {
            refusals.release(QUEUE);
            return protocol.error(fault == Fault.FULL_QUEUE_IS_500 ? 500 : 429, "the queue is full");
        }
        try {
            boolean unused = refusals.tryAcquire(1, TimeUnit.SECONDS);
            return protocol.answer(request, body);
        } catch (InterruptedException closed) {
            throw new IOException(closed);
        } finally {
            queue.release();
        }
    }

    /** The lines in front of the body; empty at the end of the connection. */
    private static List<String> head(InputStream in) throws IOException {
        List<String> lines = new ArrayList<>();
        int size = 0;
        for (String line = line(in); line != null && !line.isEmpty(); line = line(in)) {
            size += line.length();
            if (size > MOST_HEAD_BYTES) {
                throw new Refused(431);
            }
            lines.add(line);
        }
        return lines;
    }

    private static @Nullable String line(InputStream in) throws IOException {
        ByteArrayOutputStream line = new ByteArrayOutputStream();
        for (int next = in.read(); next != '\n'; next = in.read()) {
            if (next < 0) {
                return null;
            }
            if (line.size() > 2 * MOST_HEAD_BYTES) {
                throw new Refused(431);
            }
            line.write(next);
        }
        return line.toString(ISO_8859_1).stripTrailing();
    }

    private byte[] body(StubRequest request, InputStream in, OutputStream out) throws IOException {
        List<String> lengths = request.headers("content-length");
        boolean chunked = "chunked".equals(request.header("transfer-encoding"));
        if (chunked && (!lengths.isEmpty() || fault == Fault.CHUNKS_REFUSED)) {
            throw new Refused(400);
        }
        if (request.header("expect") != null) {
            out.write("HTTP/1.1 100 Continue\r\n\r\n".getBytes(ISO_8859_1));
        }
        if (chunked) {
            return chunks(in);
        }
        int length = length(lengths);
        byte[] body = in.readNBytes(length);
        if (body.length < length) {
            throw new Refused(400);
        }
        return body;
    }

    private int length(List<String> lengths) throws IOException {
        if (lengths.isEmpty()) {
            return 0;
        }
        String length = lengths.get(0);
        if (!length.matches("\\d+")
                || (fault != Fault.TWO_LENGTHS && !lengths.stream().allMatch(length::equals))) {
            throw new Refused(400);
        }
        if (length.length() > 9 || Integer.parseInt(length) > MOST_BODY_BYTES) {
            throw new Refused(413);
        }
        return Integer.parseInt(length);
    }

    private static byte[] chunks(InputStream in) throws IOException {
        ByteArrayOutputStream body = new ByteArrayOutputStream();
        while (true) {
            String size = line(in);
            int bytes = size == null ? 0 : Integer.parseInt(size, 16);
            body.writeBytes(in.readNBytes(bytes));
            String unused = line(in);
            if (bytes == 0) {
                return body.toByteArray();
            }
        }
    }

    private byte[] decoded(StubRequest request, byte[] body) throws IOException {
        String coding = request.header("content-encoding");
        if (coding == null || (coding.equals("gzip") && fault == Fault.GZIP_IGNORED)) {
            return body;
        }
        ByteArrayInputStream coded = new ByteArrayInputStream(body);
        byte[] decoded;
        try (InputStream in = switch (coding) {
            case "gzip" -> new GZIPInputStream(coded);
            case "deflate" -> new InflaterInputStream(coded);
            default -> throw new Refused(415);
        }) {
            decoded = in.readNBytes(MOST_BODY_BYTES + 1);
        } catch (ZipException | EOFException broken) {
            throw new Refused(400);
        }
        if (decoded.length > MOST_BODY_BYTES) {
            throw new Refused(413);
        }
        return decoded;
    }

    private static void write(OutputStream out, StubAnswer answer, @Nullable String coding, boolean last)
            throws IOException {
        String used = coding == null || !CODINGS.contains(coding) ? null : coding;
        byte[] body = used == null ? answer.body() : TransportChecks.compress(answer.body(), used);
        StringBuilder head =
                new StringBuilder("HTTP/1.1 ").append(answer.status()).append(" Stub\r\n");
        answer.headers()
                .forEach((name, value) ->
                        head.append(name).append(": ").append(value).append("\r\n"));
        if (used != null) {
            head.append("Content-Encoding: ").append(used).append("\r\n");
        }
        if (last) {
            head.append("Connection: close\r\n");
        }
        head.append("Content-Length: ").append(body.length).append("\r\n\r\n");
        ByteArrayOutputStream whole = new ByteArrayOutputStream();
        whole.writeBytes(head.toString().getBytes(ISO_8859_1));
        whole.writeBytes(body);
        out.write(whole.toByteArray());
        out.flush();
    }
}
