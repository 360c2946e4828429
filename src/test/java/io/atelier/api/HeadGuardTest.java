package io.atelier.api;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.handler.ssl.SniHandler;
import io.netty.handler.ssl.SslHandler;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class HeadGuardTest {
    private static final String HEAD = "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n";

    private final HeadGuard guard = new HeadGuard(Duration.ofSeconds(30));
    private final EmbeddedChannel channel = new EmbeddedChannel();

    HeadGuardTest() {
        channel.freezeTime();
        channel.pipeline().addFirst(guard);
        channel.pipeline().fireChannelActive();
    }

    @Test
    void closesAConnectionWhoseHeadTrickles() {
        for (int second = 0; second < 29; second++) {
            send(HEAD.substring(second, second + 1));
            pass(1);
        }
        assertThat(channel.isOpen()).isTrue();
        pass(1);
        assertThat(channel.isOpen()).isFalse();
    }

    @Test
    void closesAConnectionThatSaysNothing() {
        pass(30);
        assertThat(channel.isOpen()).isFalse();
    }

    @Test
    void aRequestAndThePauseBehindItTakeWhatTheyTake() {
        send(HEAD);
        guard.requestBegan(() -> true);
        pass(100);
        send("abc");
        guard.requestEnded();
        pass(100);
        assertThat(channel.isOpen()).isTrue();

        send("G");
        pass(29);
        assertThat(channel.isOpen()).isTrue();
        pass(1);
        assertThat(channel.isOpen()).isFalse();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "Content-Length: 3\r\nContent-Length: 3",
                "Content-Length: 3\r\ncontent-length: 4",
                "Content-Length: 3\r\nTransfer-Encoding: chunked",
                "TRANSFER-ENCODING: chunked\r\nA: b\r\nContent-Length : 3",
            })
    void refusesTwoLengthsInWhateverPieces(String headers) {
        String head = "\r\nPOST /a:b HTTP/1.1\r\nHost: a\r\n" + headers + "\r\n\r\n";
        for (int cut = 0; cut <= head.length(); cut++) {
            HeadGuardTest other = new HeadGuardTest();
            other.send(head.substring(0, cut));
            if (other.channel.isOpen()) {
                other.send(head.substring(cut) + "0\r\n\r\n");
            }

            ByteBuf answer = other.channel.readOutbound();
            assertThat(answer.toString(UTF_8))
                    .startsWith("HTTP/1.1 400 Bad Request\r\n")
                    .contains("\"error\":\"the request tells the length of its body more than once\"");
            assertThat(other.closesInAMoment()).isTrue();
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "/v2?%zz | Malformed escape pair, behind 4 characters",
                "/v2/models/%4 | Malformed escape pair, behind 11 characters",
                "/v2?a={1} | Illegal character in query, behind 6 characters",
            })
    void saysWhyAnAddressIsRefused(String address, String reason) {
        String head = "GET " + address + " HTTP/1.1\r\nHost: a\r\n\r\n";
        for (int cut = 0; cut <= head.length(); cut++) {
            HeadGuardTest other = new HeadGuardTest();
            other.send(head.substring(0, cut));
            if (other.channel.isOpen()) {
                other.send(head.substring(cut));
            }

            ByteBuf answer = other.channel.readOutbound();
            assertThat(answer.toString(UTF_8))
                    .startsWith("HTTP/1.1 400 Bad Request\r\n")
                    .contains("\"error\":\"the address is no URI: " + reason + "\"");
            assertThat(other.closesInAMoment()).isTrue();
        }
    }

    @Test
    void refusesACompressedBodyThatUpgrades() {
        send("POST /v2 HTTP/1.1\r\nUpgrade: h2c\r\nContent-Length: 3\r\nContent-Encoding: gzip\r\n\r\nabc");

        assertThat(channel.<ByteBuf>readOutbound().toString(UTF_8))
                .startsWith("HTTP/1.1 400 Bad Request\r\n")
                .contains("\"error\":\"the request has Content-Encoding and Upgrade,");
        assertThat(closesInAMoment()).isTrue();
    }

    @ParameterizedTest
    @ValueSource(strings = {"*", "/v2?a=%25&b=%c3%A9", "http://a:80/v2", "/v2/models/a%2Fb/infer?a=1&b"})
    void letsAddressesThrough(String address) {
        send("GET " + address + " HTTP/1.1\r\nHost: a\r\n\r\n");

        assertThat(channel.<ByteBuf>readOutbound()).isNull();
        assertThat(channel.isOpen()).isTrue();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "Content-Length: 3",
                "Transfer-Encoding: chunked",
                "Content-Length: 3\r\nX-Content-Length: 4\r\nB: Transfer-Encoding: chunked",
            })
    void letsOneLengthThrough(String headers) {
        String head = "POST /x HTTP/1.1\r\n" + headers + "\r\n\r\n";
        send(head + "Content-Length: 1\r\nContent-Length: 2\r\n");
        assertThat(channel.<ByteBuf>readInbound().toString(UTF_8)).startsWith(head);
        assertThat(channel.<ByteBuf>readOutbound()).isNull();
    }

    /** The answer may come first, and what still comes of the body is no head, whatever it looks like. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void readsNoHeadsInBodies(boolean chunked) {
        String looksBad = " {} \r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n";
        String length = chunked ? "Transfer-Encoding: chunked" : "Content-Length: " + 3 * looksBad.length();
        AtomicBoolean complete = new AtomicBoolean();

        send("POST /x HTTP/1.1\r\n" + length + "\r\n\r\n" + looksBad);
        guard.requestBegan(complete::get);
        send(looksBad);
        guard.requestEnded();
        send(looksBad);
        assertThat(channel.<ByteBuf>readOutbound()).isNull();
        complete.set(true);

        send("GET /x HTTP/1.1\r\nContent-Length: 0\r\n\r\n");
        guard.requestBegan(() -> true);
        guard.requestEnded();
        assertThat(channel.<ByteBuf>readOutbound()).isNull();
        send("GET /x HTTP/1.1" + looksBad);
        assertThat(channel.<ByteBuf>readOutbound().toString(UTF_8)).startsWith("HTTP/1.1 400 ");
        assertThat(closesInAMoment()).isTrue();
    }

    /** A refusal would be taken for the answer of the request in front. */
    @Test
    void leavesHeadsToHttpThatComeBeforeTheAnswerInFront() {
        String other = "GET /{} HTTP/1.1\r\nContent-Length: 2\r\n\r\nab";
        String third = "GET /x HTTP/1.1\r\nUser-Agent: {b} c d\r\n\r\n";
        int cut = third.indexOf("ent");

        send(HEAD + "abc" + other + third.substring(0, cut));
        guard.requestBegan(() -> true);
        guard.requestEnded();
        send(third.substring(cut));

        assertThat(channel.<ByteBuf>readOutbound()).isNull();
        assertThat(channel.isOpen()).isTrue();
    }

    @Test
    void theRestOfABodyHasItsTimeToo() {
        send(HEAD);
        guard.requestBegan(() -> false);
        guard.requestEnded();
        pass(100);
        send("a");
        pass(29);
        send("bc");
        pass(100);
        assertThat(channel.isOpen()).isTrue();

        HeadGuardTest other = new HeadGuardTest();
        other.send(HEAD);
        other.guard.requestBegan(() -> false);
        other.guard.requestEnded();
        other.send("a");
        other.pass(30);
        assertThat(other.channel.isOpen()).isFalse();
    }

    /** Its first bytes look like a head. */
    @Test
    void readsNoHeadsInHttp2() {
        send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
        send(" {} \r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n");

        assertThat(channel.<ByteBuf>readOutbound()).isNull();
        assertThat(channel.isOpen()).isTrue();
    }

    /** A handshake begins with bytes of chance. */
    @Test
    void readsNoHeadsInWhatIsEncrypted() throws Exception {
        SSLEngine engine = SSLContext.getDefault().createSSLEngine();
        engine.setUseClientMode(false);
        SniHandler byName = new SniHandler((name, promise) -> promise);
        for (ChannelHandler decryption : List.of(new SslHandler(engine), byName)) {
            HeadGuardTest other = new HeadGuardTest();
            List<Object> passed = new ArrayList<>();
            other.channel.pipeline().addLast(new ChannelInboundHandlerAdapter() {
                @Override
                public void channelRead(ChannelHandlerContext context, Object message) {
                    passed.add(message);
                }
            });
            other.channel.pipeline().addLast(decryption);

            other.send("\u0016 {} \nContent-Length: 3\r\nContent-Length: 3\r\n");

            assertThat(passed).hasSize(1);
            assertThat(other.channel.<ByteBuf>readOutbound()).isNull();
        }
    }

    /** When whoever sent what is refused has had time to read why. */
    private boolean closesInAMoment() {
        boolean open = channel.isOpen();
        channel.releaseInbound();
        send("what still comes, to nobody\nContent-Length: 3\nContent-Length: 3\n");
        assertThat(channel.<ByteBuf>readInbound()).isNull();
        assertThat(channel.<ByteBuf>readOutbound()).isNull();
        pass(1);
        return open && !channel.isOpen();
    }

    private void send(String text) {
        channel.writeInbound(Unpooled.copiedBuffer(text, UTF_8));
    }

    private void pass(int seconds) {
        channel.advanceTimeBy(seconds, TimeUnit.SECONDS);
        channel.runScheduledPendingTasks();
    }
}
