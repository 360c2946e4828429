package io.atelier.engine.djl;

import ai.djl.Model;
import ai.djl.inference.Predictor;
import ai.djl.translate.TranslateException;
import io.atelier.core.Tensor;
import io.atelier.engine.EngineBatch;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.Supplier;

/**
 * The predictors of one model. A predictor belongs to one thread at a time, the model beneath it to all: they are lent
 * out from a pool that grows to as many as run at once. Thread-safe.
 */
final class Lanes implements AutoCloseable {
    private final Model model;
    private final Supplier<Predictor<EngineBatch, List<List<Tensor>>>> making;
    private final ConcurrentLinkedQueue<Predictor<EngineBatch, List<List<Tensor>>>> idle =
            new ConcurrentLinkedQueue<>();

    /**
     * @param model  owned from now on
     * @param making makes one more predictor of it
     */
    Lanes(Model model, Supplier<Predictor<EngineBatch, List<List<Tensor>>>> making) {
        this.model = model;
        this.making = making;
    }

    List<List<Tensor>> predict(EngineBatch batch) throws TranslateException {
        Predictor<EngineBatch, List<List<Tensor>>> predictor = idle.poll();
        if (predictor == null) {
            predictor = making.get();
        }
        try {
            return predictor.predict(batch);
        } finally {
            idle.add(predictor);
        }
    }

    @Override
    public void close() {
        idle.forEach(Predictor::close);
        model.close();
    }
}
