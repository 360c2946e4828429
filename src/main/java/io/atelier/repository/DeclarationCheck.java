package io.atelier.repository;

import io.atelier.core.DataType;
import io.atelier.core.ModelSignature;
import io.atelier.core.Reshape;
import io.atelier.core.Shape;
import io.atelier.core.TensorSpec;
import io.atelier.engine.ModelInstance;
import io.atelier.engine.ModelLoadException;
import io.atelier.engine.ReshapedInstance;
import io.atelier.repository.Declaration.Rows;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

/** Whether what a folder says of inputs and outputs fits those of the model file, and the model as callers then see it. */
final class DeclarationCheck {
    private final ModelSignature model;
    private final boolean rows;

    private DeclarationCheck(ModelSignature model, boolean rows) {
        this.model = model;
        this.rows = rows;
    }

    /**
     * The model as the folder shows it; itself where the folder says nothing.
     *
     * @throws ModelLoadException if the folder contradicts the file
     */
    static ModelInstance show(Declaration declaration, ModelInstance instance) throws ModelLoadException {
        ModelSignature model = instance.signature();
        if (declaration.rows() == Rows.INFERRED
                && declaration.inputs().isEmpty()
                && declaration.outputs().isEmpty()) {
            return instance;
        }
        boolean rows = declaration.rows() == Rows.YES || (declaration.rows() == Rows.INFERRED && model.hasBatchAxis());
        DeclarationCheck check = new DeclarationCheck(model, rows);
        if (declaration.rows() == Rows.YES) {
            check.requireRows(model.inputs());
            check.requireRows(model.outputs());
        }
        ModelSignature signature = new ModelSignature(
                check.inputs(declaration.inputs()), check.outputs(declaration.outputs()), model.optionalInputs(), rows);
        return signature.equals(model) ? instance : new ReshapedInstance(instance, signature);
    }

    private void requireRows(List<TensorSpec> tensors) throws ModelLoadException {
        for (TensorSpec tensor : tensors) {
            if (tensor.shape().rank() == 0 || !tensor.shape().isDynamic(0)) {
                throw new ModelLoadException(
                        "max_batch_size is above 0, and the first axis of '%s' is not one of any size: the model has %s"
                                        .formatted(tensor.name(), SignatureCheck.typeOf(tensor))
                                + "; allowed is max_batch_size: 0, with the whole shape in dims");
            }
        }
    }

    /** All of them, in the model's order. */
    private List<TensorSpec> inputs(List<DeclaredTensor> declared) throws ModelLoadException {
        if (declared.isEmpty()) {
            return model.inputs();
        }
        for (DeclaredTensor tensor : declared) {
            find("input", tensor, model.inputs());
        }
        List<TensorSpec> inputs = new ArrayList<>();
        for (TensorSpec spec : model.inputs()) {
            Optional<DeclaredTensor> tensor = declared.stream()
                    .filter(candidate -> candidate.name().equals(spec.name()))
                    .findFirst();
            if (tensor.isEmpty()) {
                throw new ModelLoadException("input: '%s' is missing, the model takes %s"
                        .formatted(spec.name(), SignatureCheck.names(model.inputs())));
            }
            inputs.add(spec("input", tensor.get(), spec));
        }
        return inputs;
    }

    /** Those that are declared, in the order in which they are. */
    private List<TensorSpec> outputs(List<DeclaredTensor> declared) throws ModelLoadException {
        if (declared.isEmpty()) {
            return model.outputs();
        }
        List<TensorSpec> outputs = new ArrayList<>();
        for (DeclaredTensor tensor : declared) {
            outputs.add(spec("output", tensor, find("output", tensor, model.outputs())));
        }
        return outputs;
    }

    private static TensorSpec find(String field, DeclaredTensor tensor, List<TensorSpec> specs)
            throws ModelLoadException {
        return specs.stream()
                .filter(spec -> spec.name().equals(tensor.name()))
                .findFirst()
                .orElseThrow(() -> new ModelLoadException("%s: the model has no %s '%s', it has %s"
                        .formatted(field, field, tensor.name(), SignatureCheck.names(specs))));
    }

    private TensorSpec spec(String field, DeclaredTensor tensor, TensorSpec spec) throws ModelLoadException {
        if (tensor.dataType() != spec.dataType()) {
            throw new ModelLoadException("%s '%s': data_type is %s, the model has %s"
                    .formatted(field, tensor.name(), word(tensor.dataType()), word(spec.dataType())));
        }
        Shape callers = whole(tensor.dims());
        Shape given = whole(tensor.modelDims());
        boolean scalar = spec.shape().rank() == 0 && Reshape.fit(given, spec.shape());
        if (!scalar && !fits(given, spec.shape(), field.equals("output"))) {
            throw new ModelLoadException("%s '%s': %s is %s%s, the model has %s"
                    .formatted(
                            field,
                            tensor.name(),
                            tensor.reshape().isPresent() ? "reshape" : "dims",
                            SignatureCheck.sizes(tensor.modelDims()),
                            rows ? ", which with the axis of rows is " + given : "",
                            spec.shape()));
        }
        Shape inner = scalar ? spec.shape() : given;
        if (!callers.equals(inner)) {
            return new TensorSpec(
                    spec.name(),
                    spec.dataType(),
                    callers,
                    names(callers, spec),
                    spec.labels(),
                    new Reshape(callers, inner));
        }
        return callers.equals(spec.shape())
                ? spec
                : new TensorSpec(spec.name(), spec.dataType(), callers, spec.axisNames());
    }

    /** The axes are others; that of the rows is the same. */
    private List<String> names(Shape callers, TensorSpec spec) {
        return IntStream.range(0, callers.rank())
                .mapToObj(axis -> axis == 0 && rows ? spec.axisNames().get(0) : "")
                .toList();
    }

    /** As in Triton: an input may be narrower than the model's, an output may not. */
    private static boolean fits(Shape given, Shape model, boolean exactly) {
        return exactly ? given.equals(model) : model.accepts(given);
    }

    private Shape whole(List<Long> dims) {
        long[] shape = new long[dims.size() + (rows ? 1 : 0)];
        int at = 0;
        if (rows) {
            shape[at++] = Shape.DYNAMIC;
        }
        for (long dim : dims) {
            shape[at++] = dim;
        }
        return Shape.of(shape);
    }

    private static String word(DataType type) {
        return TritonTensors.TYPE_PREFIX + (type == DataType.BYTES ? "STRING" : type.name());
    }
}
