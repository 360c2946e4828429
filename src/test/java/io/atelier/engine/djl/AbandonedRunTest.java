package io.atelier.engine.djl;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.atelier.core.DataType;
import io.atelier.core.DeviceId;
import io.atelier.core.ModelId;
import io.atelier.core.Padding;
import io.atelier.core.Shape;
import io.atelier.core.Tensor;
import io.atelier.engine.EngineBatch;
import io.atelier.engine.ModelInstance;
import io.atelier.engine.ModelSource;
import io.atelier.repository.EmbeddedModel;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** ONNX Runtime ends a run that nobody waits for, and goes on with the next. */
class AbandonedRunTest {
    private static final int TOKENS = 256;

    @Test
    void endsARunThatNobodyWaitsFor(@TempDir Path folder) throws Exception {
        EmbeddedModel.unpackInto(folder);
        ModelSource source =
                new ModelSource(new ModelId("minilm", "1"), folder.resolve("minilm/1/model.onnx"), Padding.NONE, 1);
        try (ModelInstance model = new DjlEngine(new SessionSettings(1, false)).load(source, DeviceId.cpu(0))) {
            List<Tensor> request = List.of(ones("input_ids"), ones("attention_mask"), ones("token_type_ids"));
            List<String> outputs = List.of("last_hidden_state");
            EngineBatch abandoned = new EngineBatch(List.of(request), outputs, CompletableFuture.completedFuture(null));

            assertThatThrownBy(() -> model.run(abandoned).toCompletableFuture().join())
                    .hasCauseInstanceOf(CancellationException.class);

            EngineBatch awaited = new EngineBatch(List.of(request), outputs, new CompletableFuture<>());
            assertThat(model.run(awaited).toCompletableFuture().join().get(0))
                    .hasToString("[last_hidden_state:FP32[1,256,384]]");
        }
    }

    private static Tensor ones(String name) {
        ByteBuffer data = ByteBuffer.allocateDirect(TOKENS * Long.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        for (int i = 0; i < TOKENS; i++) {
            data.putLong(1);
        }
        return new Tensor(name, DataType.INT64, Shape.of(1, TOKENS), data.flip());
    }
}
