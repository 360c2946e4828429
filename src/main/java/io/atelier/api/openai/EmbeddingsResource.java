package io.atelier.api.openai;

import io.atelier.api.ClientTimeout;
import io.atelier.api.Exchange;
import io.atelier.api.ReceivedBody;
import io.atelier.api.Refusals;
import io.atelier.core.Deadline;
import io.atelier.core.ServingException.InvalidInput;
import io.atelier.core.TaskKind;
import io.atelier.serving.InferenceService;
import io.atelier.serving.ModelView;
import io.smallrye.mutiny.Uni;
import io.vertx.core.http.HttpServerRequest;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.core.Context;
import java.time.Duration;
import org.eclipse.microprofile.openapi.annotations.Operation;
import org.eclipse.microprofile.openapi.annotations.parameters.RequestBody;
import org.eclipse.microprofile.openapi.annotations.responses.APIResponse;
import org.eclipse.microprofile.openapi.annotations.tags.Tag;
import org.jboss.resteasy.reactive.RestResponse;

/**
 * Texts in, vectors of length 1 out, in OpenAI's form.
 *
 * <p>The header {@code Request-Timeout} shortens the model's own timeout, as it does for inference.
 */
@Path("/v1/embeddings")
@Tag(name = "OpenAI")
public class EmbeddingsResource {
    private final InferenceService service;
    private final Exchange exchange;

    public EmbeddingsResource(InferenceService service, Exchange exchange) {
        this.service = service;
        this.exchange = exchange;
    }

    @POST
    @Operation(summary = "Embed texts")
    @RequestBody(ref = "texts")
    @APIResponse(responseCode = "200", ref = "embedded")
    @Refusals
    public Uni<RestResponse<byte[]>> embed(@Context HttpServerRequest http) {
        return exchange.answer(
                http,
                body -> read(http, body),
                (question, trace) -> service.predict(
                        question.request().model(), null, question.request().values(), question.deadline(), trace),
                EmbeddingsResponse::dataBytes,
                (question, embeddings) -> EmbeddingsResponse.write(question.request(), embeddings));
    }

    private record Question(EmbeddingsRequest request, Deadline deadline) {}

    private Question read(HttpServerRequest http, ReceivedBody body) {
        Duration header = ClientTimeout.of(http);
        EmbeddingsRequest request = EmbeddingsRequest.read(body.bytes(), body.length());
        ModelView model = service.model(request.model(), null);
        if (model.task() != TaskKind.TEXT_EMBEDDING) {
            throw new InvalidInput("model '" + request.model() + "' does not embed texts");
        }
        Duration timeout = ClientTimeout.shortest(model.timeout(), header);
        return new Question(request, service.deadline(timeout.minus(body.age())));
    }
}
