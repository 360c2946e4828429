package io.atelier.conformance;

import java.math.BigInteger;
import java.util.ArrayList;
import java.util.List;

/** Requests that many checks begin with, and their right answers. */
final class Examples {
    static final String INPUT = "INPUT0";
    static final String SECOND_INPUT = "INPUT1";
    static final String OUTPUT = "OUTPUT0";
    static final String SECOND_OUTPUT = "OUTPUT1";

    /** Elements of one row of the add model. */
    static final int WIDTH = 16;

    private Examples() {}

    /** One row: 0, 1, 2, … and 100, 101, 102, … */
    static InferRequest add() {
        return new InferRequest().input(first()).input(second());
    }

    static Tensor first() {
        return row(INPUT, 0, 1);
    }

    static Tensor second() {
        return row(SECOND_INPUT, 100, 1);
    }

    private static Tensor row(String name, int from, int step) {
        return Tensor.of(name, Datatype.INT32, sequence(from, step), 1, WIDTH);
    }

    private static List<Object> sequence(int from, int step) {
        List<Object> values = new ArrayList<>();
        for (int i = 0; i < WIDTH; i++) {
            values.add(BigInteger.valueOf(from + (long) step * i));
        }
        return values;
    }

    static List<Object> sums() {
        return sequence(100, 2);
    }

    static List<Object> differences() {
        return sequence(-100, 0);
    }

    static void expectSums(InferAnswer answer) {
        answer.expect(OUTPUT, Datatype.INT32, sums()).expect(SECOND_OUTPUT, Datatype.INT32, differences());
    }

    /** The sample of a type as two rows of three. */
    static Tensor sample(Datatype type) {
        return Tensor.of(INPUT, type, type.sample(), 2, 3);
    }

    /** FP32 data of the shape [2,3]. */
    static InferRequest floats() {
        return new InferRequest().input(sample(Datatype.FP32));
    }
}
