package io.atelier.api.openai;

import io.atelier.api.ClientTimeout;
import io.atelier.api.Exchange;
import io.atelier.api.RequestBody;
import io.atelier.core.Deadline;
import io.atelier.serving.InferenceService;
import io.smallrye.mutiny.Uni;
import io.vertx.core.http.HttpServerRequest;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.core.Context;
import java.time.Duration;
import org.jboss.resteasy.reactive.RestResponse;

/**
 * Texts in, vectors of length 1 out, in OpenAI's form.
 *
 * <p>The header {@code Request-Timeout} shortens the model's own timeout, as it does for inference.
 */
@Path("/v1/embeddings")
public class EmbeddingsResource {
    private final InferenceService service;
    private final Exchange exchange;

    public EmbeddingsResource(InferenceService service, Exchange exchange) {
        this.service = service;
        this.exchange = exchange;
    }

    @POST
    public Uni<RestResponse<byte[]>> embed(@Context HttpServerRequest http) {
        return exchange.answer(
                http,
                body -> read(http, body),
                question -> service.embed(
                        question.request().model(), question.request().texts(), question.deadline()),
                EmbeddingsResponse::dataBytes,
                (question, embeddings) -> EmbeddingsResponse.write(question.request(), embeddings));
    }

    private record Question(EmbeddingsRequest request, Deadline deadline) {}

    private Question read(HttpServerRequest http, RequestBody body) {
        Duration header = ClientTimeout.of(http);
        EmbeddingsRequest request = EmbeddingsRequest.read(body.bytes(), body.length());
        Duration allowed = service.model(request.model(), null).timeout();
        Duration timeout = ClientTimeout.shortest(allowed, header);
        return new Question(request, service.deadline(timeout.minus(body.age())));
    }
}
