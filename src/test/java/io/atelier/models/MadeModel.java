package io.atelier.models;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/**
 * A small model that a test writes, and how people ask it.
 *
 * @param onnx    the model file
 * @param yaml    {@code model.yaml}; empty means none
 * @param request what one caller sends: another number of rows, other sizes, other numbers each time
 * @param nature  what has to hold beside right answers
 * @param reference what ONNX Runtime is asked in its place: the same model, but every input has to be given, since ONNX
 *                Runtime's Java interface takes none that may be left out
 * @param defaults what the reference is given where a request leaves an input out
 */
@SuppressWarnings("ArrayRecordComponent") // Never compared.
record MadeModel(
        String name, byte[] onnx, String yaml, Request request, Nature nature, byte[] reference, List<Value> defaults) {

    /** What one caller sends. */
    interface Request {
        List<Value> next(Random random);
    }

    /** What has to hold of a model beside right answers. */
    enum Nature {
        /** Its rows do not see each other: requests have to share executions. */
        ROWS,
        /** Rows see each other, or are not on axis 0, or cannot be told from what is not rows: only right answers count. */
        WHOLE,
        /** It throws dice: only the shapes of its answers can be compared. */
        RANDOM
    }

    /** A request with all its inputs. */
    List<Value> whole(List<Value> request) {
        List<Value> whole = new ArrayList<>(request);
        defaults.stream()
                .filter(value ->
                        request.stream().noneMatch(given -> given.name().equals(value.name())))
                .forEach(whole::add);
        return whole;
    }

    @Override
    public String toString() {
        return name;
    }
}
