package io.atelier.repository;

import io.atelier.core.Tensor;
import io.atelier.engine.GoldenSample;
import io.atelier.engine.ModelInstance;
import io.atelier.engine.ModelLoadException;
import io.atelier.repository.Executions.FailedException;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CancellationException;

/**
 * The first executions of a model: they pay for what native engines put off until then, find inputs that the model takes,
 * and a sample that will tell whether the device still computes.
 *
 * <p>Made-up inputs prove nothing against a model: one that takes none of them serves all the same, with a warning.
 */
final class WarmUp {
    private final Executions executions;
    private final MadeUpInputs inputs;
    private Optional<String> warning = Optional.empty();

    WarmUp(ModelConfig config, ModelInstance instance, Executions executions) {
        this.executions = executions;
        this.inputs = new MadeUpInputs(instance.signature(), config);
    }

    /** What went wrong and kept the model from nothing. */
    Optional<String> warning() {
        return warning;
    }

    /** The first made-up inputs that the model answers to; empty, with a {@link #warning}, if there are none. */
    Optional<MadeUpInputs.Attempt> run() {
        String first = "";
        int tried = 0;
        for (MadeUpInputs.Attempt attempt : inputs.attempts()) {
            try {
                tried++;
                executions.answer(attempt.row(0));
                return Optional.of(attempt);
            } catch (FailedException failure) {
                first = first.isEmpty() ? failure.reason() : first;
                if (executions.isOver() || failure.getCause() instanceof CancellationException) {
                    first = failure.reason();
                    break;
                }
            } catch (ModelLoadException tooLarge) {
                first = first.isEmpty() ? tooLarge.reason() : first;
            }
        }
        warning = Optional.of("not warmed up: no made-up input was answered, of " + tried + " tried: " + first);
        return Optional.empty();
    }

    /**
     * Runs the requests that the model's owner wrote down, which must be answered.
     *
     * @return one of them that is of one row, if there is one
     * @throws ModelLoadException if one is not
     */
    Optional<List<Tensor>> given(ModelDefinition definition, ModelInstance instance) throws ModelLoadException {
        Optional<List<Tensor>> row = Optional.empty();
        for (WarmUpRequest request : definition.config().warmUps()) {
            List<Tensor> question = WarmUpTensors.of(request, definition.folder(), instance.signature());
            for (int time = 0; time < request.count(); time++) {
                try {
                    executions.answer(question);
                } catch (FailedException failure) {
                    throw new ModelLoadException("the warm-up '" + request.name() + "' failed: " + failure.reason(), failure);
                }
            }
            row = row.or(() -> Optional.of(question).filter(WarmUp::isOneRow));
        }
        return row;
    }

    /** Whether a request has one row, by the looks of it. */
    static boolean isOneRow(List<Tensor> request) {
        return request.stream()
                .allMatch(tensor -> tensor.shape().rank() > 0 && tensor.shape().dimension(0) == 1);
    }

    /**
     * The sample of the folder, which must be answered rightly now.
     *
     * @throws ModelLoadException if it is not
     */
    GoldenSample golden(ModelDefinition definition, ModelConfig.Golden file, ModelInstance instance)
            throws ModelLoadException {
        GoldenSample sample =
                GoldenFile.read(definition.folder().resolve(file.file()), instance.signature(), file.tolerance());
        try {
            Optional<String> difference = sample.difference(executions.answer(sample.inputs()));
            if (difference.isPresent()) {
                throw new ModelLoadException(
                        "the model's answer is not the one in " + file.file() + ": " + difference.get());
            }
        } catch (FailedException failure) {
            throw new ModelLoadException("the question of " + file.file() + " failed: " + failure.reason(), failure);
        }
        return sample;
    }

    /** What the model answers to a made-up row, if it answers the same twice; else only the form of its answer. */
    Optional<GoldenSample> recorded(MadeUpInputs.Attempt attempt) throws ModelLoadException {
        List<Tensor> request = attempt.row(0);
        try {
            GoldenSample sample =
                    new GoldenSample(request, executions.answer(request), ModelConfig.Golden.DEFAULT_TOLERANCE);
            return Optional.of(
                    sample.isAnsweredBy(executions.answer(request))
                            ? sample
                            : new GoldenSample(request, List.of(), ModelConfig.Golden.DEFAULT_TOLERANCE));
        } catch (FailedException failure) {
            warning = Optional.of("has no golden sample: " + failure.reason());
            return Optional.empty();
        }
    }
}
