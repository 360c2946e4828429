package io.atelier.engine.onnx;

import java.util.OptionalInt;

/**
 * The declared type of a graph's input, output or inner value. Immutable.
 *
 * @param elementType ONNX number of the element type; zero when it is no tensor
 * @param rank        count of dimensions, where declared
 */
record OnnxValue(String name, int elementType, OptionalInt rank) {
    private static final int NAME = 1;
    private static final int TYPE = 2;
    private static final int TENSOR_TYPE = 1;
    private static final int ELEMENT_TYPE = 1;
    private static final int SHAPE = 2;
    private static final int DIMENSION = 1;

    static OnnxValue of(ProtoMessage message) {
        int elementType = 0;
        OptionalInt rank = OptionalInt.empty();
        for (ProtoMessage type : message.messages(TYPE)) {
            for (ProtoMessage tensor : type.messages(TENSOR_TYPE)) {
                elementType = (int) tensor.varint(ELEMENT_TYPE);
                for (ProtoMessage shape : tensor.messages(SHAPE)) {
                    rank = OptionalInt.of(shape.fields(DIMENSION).size());
                }
            }
        }
        return new OnnxValue(message.string(NAME), elementType, rank);
    }
}
