package io.atelier.engine.djl;

import ai.djl.Model;
import ai.djl.nn.Block;
import ai.onnxruntime.OnnxSequence;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OnnxValue;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import io.atelier.core.DataType;
import io.atelier.core.ModelSignature;
import io.atelier.core.Shape;
import io.atelier.core.Tensor;
import io.atelier.core.TensorSpec;
import io.atelier.engine.ModelLoadException;
import io.atelier.engine.ModelSource;
import io.atelier.engine.djl.SessionValue.Kind;
import io.atelier.engine.onnx.ClassLabels;
import java.io.IOException;
import java.lang.reflect.Field;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The session beneath a DJL model, and what it takes and gives here. Inputs have to be tensors. Outputs that are
 * sequences of maps from known classes are given as tensors; others that are no tensors are left out.
 *
 * <p>DJL's block describes no shapes and keeps its session private, so the session is read from its field. Should a
 * newer DJL name it otherwise, loading fails with that name.
 *
 * @param classes of the outputs that are sequences of maps
 */
record LoadedSession(OrtSession session, ModelSignature signature, Map<String, ClassLabels> classes) {
    private static final Logger LOG = LoggerFactory.getLogger(LoadedSession.class);
    private static final String SESSION = "session";

    static LoadedSession of(ModelSource source, Model model) throws ModelLoadException {
        OrtSession session = session(model.getBlock());
        OrtCalls calls = OrtCalls.loaded();
        try {
            List<SessionValue> outputs = calls.outputs(session);
            Map<String, ClassLabels> classes =
                    outputs.stream().anyMatch(output -> output.kind() == Kind.SEQUENCE) ? classes(source) : Map.of();
            return new LoadedSession(
                    session,
                    new ModelSignature(
                            inputs(calls.inputs(session)),
                            outputs(source, outputs, classes),
                            optionalInputs(calls.overridableInitializers(session))),
                    classes);
        } catch (OrtException failure) {
            throw new ModelLoadException("the model does not tell its inputs and outputs", failure);
        }
    }

    /**
     * Runs the session.
     *
     * @param inputs  by name: all that it has to be given, and optional ones
     * @param outputs the names of those that are wanted
     */
    OrtSession.Result run(Map<String, OnnxTensor> inputs, Set<String> outputs, OrtSession.RunOptions options)
            throws OrtException {
        return inputs.size() > signature.inputs().size()
                ? OrtInternals.run(session, OrtCalls.loaded().allocator(), inputs, outputs, options)
                : session.run(inputs, outputs, options);
    }

    /** A copy of an output on the heap. */
    Tensor read(TensorSpec spec, OnnxValue value) throws OrtException {
        ClassLabels labels = classes.get(spec.name());
        return labels != null && value instanceof OnnxSequence maps
                ? OrtTensors.toTensor(spec, maps, labels)
                : OrtTensors.toTensor(spec, (OnnxTensor) value);
    }

    private static OrtSession session(Block block) throws ModelLoadException {
        try {
            Field field = block.getClass().getDeclaredField(SESSION);
            field.setAccessible(true);
            return (OrtSession) field.get(block);
        } catch (ReflectiveOperationException missing) {
            throw new ModelLoadException(
                    "%s has no field '%s'".formatted(block.getClass().getName(), SESSION), missing);
        }
    }

    private static Map<String, ClassLabels> classes(ModelSource source) throws ModelLoadException {
        try {
            return ClassLabels.in(MappedModels.map(source.file()));
        } catch (IOException failure) {
            throw new ModelLoadException(source.file().getFileName() + " cannot be read", failure);
        }
    }

    private static List<TensorSpec> inputs(List<SessionValue> values) throws ModelLoadException {
        List<TensorSpec> specs = new ArrayList<>();
        for (SessionValue value : values) {
            if (value.kind() != Kind.TENSOR) {
                throw new ModelLoadException("'%s' is no tensor, which is not served".formatted(value.name()));
            }
            specs.add(tensor(value));
        }
        return specs;
    }

    /** Names travel as modified UTF-8, which is UTF-8 for these alone. */
    private static boolean isPassed(String name) {
        return name.chars().noneMatch(unit -> unit == 0 || Character.isSurrogate((char) unit));
    }

    /** Those that can be given; the model does without the others. */
    private static List<TensorSpec> optionalInputs(List<SessionValue> values) throws ModelLoadException {
        return inputs(values.stream()
                .filter(value -> value.kind() == Kind.TENSOR && value.dataType().isPresent() && isPassed(value.name()))
                .toList());
    }

    private static List<TensorSpec> outputs(
            ModelSource source, List<SessionValue> values, Map<String, ClassLabels> classes) throws ModelLoadException {
        List<TensorSpec> specs = new ArrayList<>();
        List<String> leftOut = new ArrayList<>();
        for (SessionValue value : values) {
            ClassLabels labels = classes.get(value.name());
            if (value.kind() == Kind.SEQUENCE && labels != null) {
                specs.add(new TensorSpec(
                        value.name(),
                        DataType.FP32,
                        Shape.of(Shape.DYNAMIC, labels.labels().size()),
                        List.of("", ""),
                        labels.labels()));
            } else if (value.kind() != Kind.TENSOR) {
                leftOut.add("'%s' is no tensor but of kind %s"
                        .formatted(value.name(), value.kind().word()));
            } else if (value.dataType().isEmpty()) {
                leftOut.add(notCarried(value));
            } else {
                specs.add(tensor(value));
            }
        }
        if (specs.isEmpty()) {
            throw new ModelLoadException("no output can be given: " + String.join("; ", leftOut));
        }
        for (String reason : leftOut) {
            LOG.warn("model {}: the output {}, and is left out", source.model(), reason);
        }
        return specs;
    }

    private static String notCarried(SessionValue value) {
        return "'%s' is of type %s, which this engine does not carry".formatted(value.name(), value.typeName());
    }

    private static TensorSpec tensor(SessionValue value) throws ModelLoadException {
        if (!isPassed(value.name())) {
            throw new ModelLoadException(
                    "'%s' has a name with U+0000 or characters beyond the basic plane, which ONNX Runtime's Java interface does not pass"
                            .formatted(value.name()));
        }
        return new TensorSpec(
                value.name(),
                value.dataType().orElseThrow(() -> new ModelLoadException(notCarried(value))),
                value.shape(),
                value.axisNames());
    }
}
