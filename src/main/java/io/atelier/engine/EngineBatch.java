package io.atelier.engine;

import io.atelier.core.Tensor;
import java.util.List;
import java.util.concurrent.CompletionStage;

/**
 * What one execution computes.
 *
 * @param requests  for each request its inputs, in the order of the signature
 * @param outputs   the outputs that any of the requests wants
 * @param abandoned completes when nobody waits for the batch any more; the engine may then end it early
 * @param progress  is told how far the execution has come
 */
public record EngineBatch(
        List<List<Tensor>> requests, List<String> outputs, CompletionStage<Void> abandoned, Progress progress) {

    /** How far an execution has come. Told on the thread that runs it, so that who listens can take the time. */
    public interface Progress {
        /** Nobody asks. */
        Progress UNHEARD = new Progress() {
            @Override
            public void inputsReady() {}

            @Override
            public void executed() {}
        };

        /** The requests' inputs are the model's now; it runs next. */
        void inputsReady();

        /** The model has run; its outputs are taken apart next. */
        void executed();
    }

    public EngineBatch {
        requests = List.copyOf(requests);
        outputs = List.copyOf(outputs);
    }

    /** One whose progress nobody asks for. */
    public EngineBatch(List<List<Tensor>> requests, List<String> outputs, CompletionStage<Void> abandoned) {
        this(requests, outputs, abandoned, Progress.UNHEARD);
    }
}
