package io.atelier.api;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.atelier.core.ServingException;
import io.quarkus.runtime.configuration.MemorySize;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpClient;
import io.vertx.core.http.HttpClientOptions;
import io.vertx.core.http.HttpClientRequest;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServer;
import io.vertx.core.http.HttpVersion;
import io.vertx.core.http.StreamResetException;
import jakarta.ws.rs.WebApplicationException;
import java.io.IOException;
import java.math.BigInteger;
import java.net.Socket;
import java.time.Duration;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class RequestBodyReaderTest {
    private final Vertx vertx = Vertx.vertx();
    private final BlockingQueue<Object> outcomes = new ArrayBlockingQueue<>(8);

    @AfterEach
    void close() throws Exception {
        await(vertx.close());
    }

    @Test
    void collectsABodyOfManyChunks() throws Exception {
        try (Socket client = connect(1 << 20, Duration.ofSeconds(30))) {
            send(client, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n");
            for (int part = 0; part < 10; part++) {
                send(client, Integer.toString(part).repeat(10_000));
            }
            ReceivedBody body = (ReceivedBody) outcome();
            assertThat(body.length()).isEqualTo(100_000);
            assertThat(body.bytes()[99_999]).isEqualTo((byte) '9');
            assertThat(body.bytes()[10_000]).isEqualTo((byte) '1');
            assertThat(body.age()).isPositive();
        }
    }

    @Test
    void takesABodyOfExactlyTheLimitAndNoByteMore() throws Exception {
        try (Socket client = connect(20_000, Duration.ofSeconds(30))) {
            send(client, "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
            send(client, "4e20\r\n" + "x".repeat(20_000) + "\r\n0\r\n\r\n");
            assertThat(((ReceivedBody) outcome()).length()).isEqualTo(20_000);
            send(client, "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
            send(client, "4e21\r\n" + "x".repeat(20_001) + "\r\n0\r\n\r\n");
            assertThat(outcome()).isInstanceOf(ServingException.PayloadTooLarge.class);
        }
    }

    @Test
    void givesUpOnABodyThatDoesNotArrive() throws Exception {
        try (Socket client = connect(1000, Duration.ofMillis(20))) {
            send(client, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc");
            assertThat(outcome())
                    .isInstanceOfSatisfying(
                            WebApplicationException.class,
                            late -> assertThat(late.getResponse().getStatus()).isEqualTo(408));
            client.setSoTimeout(20_000);
            String answer = new String(client.getInputStream().readAllBytes(), UTF_8); // until the server closes
            assertThat(answer).contains("connection: close");
        }
    }

    @Test
    void hearsThatTheClientHasGone() throws Exception {
        try (Socket client = connect(1000, Duration.ofSeconds(30))) {
            send(client, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc");
        }
        assertThat(outcome()).isInstanceOf(ServingException.Cancelled.class);
    }

    @Test
    void aRefusedBodyEndsItsStreamAndNotTheConnectionThatItShares() throws Exception {
        int port = listen(1000, Duration.ofSeconds(30));
        HttpClient client = vertx.createHttpClient(new HttpClientOptions()
                .setProtocolVersion(HttpVersion.HTTP_2)
                .setHttp2ClearTextUpgrade(false)
                .setHttp2MaxPoolSize(1));
        HttpClientRequest endless = await(client.request(HttpMethod.POST, port, "localhost", "/"));
        CompletableFuture<Throwable> reset = new CompletableFuture<>();
        endless.setChunked(true).exceptionHandler(reset::complete);
        await(endless.write("x".repeat(2000)));
        assertThat(outcome()).isInstanceOf(ServingException.PayloadTooLarge.class);
        assertThat(await(endless.response()).statusCode()).isEqualTo(200);
        assertThat(reset.get(10, TimeUnit.SECONDS)).isInstanceOf(StreamResetException.class);

        HttpClientRequest next = await(client.request(HttpMethod.POST, port, "localhost", "/"));
        assertThat(next.connection()).isSameAs(endless.connection());
        assertThat(await(next.send("x")).statusCode()).isEqualTo(200);
        assertThat(outcome()).isInstanceOf(ReceivedBody.class);
    }

    private static <T> T await(Future<T> future) throws Exception {
        return future.toCompletionStage().toCompletableFuture().get(10, TimeUnit.SECONDS);
    }

    private Object outcome() throws InterruptedException {
        return outcomes.poll(10, TimeUnit.SECONDS);
    }

    private static void send(Socket client, String text) throws IOException {
        client.getOutputStream().write(text.getBytes(UTF_8));
    }

    private Socket connect(int maxBytes, Duration timeout) throws Exception {
        return new Socket("localhost", listen(maxBytes, timeout));
    }

    private int listen(int maxBytes, Duration timeout) throws Exception {
        RequestBodyReader reader = new RequestBodyReader(vertx, new MemorySize(BigInteger.valueOf(maxBytes)), timeout);
        HttpServer server = await(vertx.createHttpServer()
                .requestHandler(request -> reader.read(request)
                        .subscribe()
                        .with(
                                body -> {
                                    outcomes.add(body);
                                    request.response().end();
                                },
                                failure -> {
                                    outcomes.add(failure);
                                    vertx.runOnContext(
                                            nothing -> request.response().end());
                                }))
                .listen(0, "localhost"));
        return server.actualPort();
    }
}
