package io.atelier.repository;

import io.atelier.core.ModelSignature;
import io.atelier.core.Sharing;
import io.atelier.core.Tensor;
import io.atelier.engine.BatchLayout;
import io.atelier.engine.ModelInstance;
import io.atelier.engine.ModelLoadException;
import io.atelier.engine.Tolerance;
import io.atelier.repository.Executions.FailedException;
import io.atelier.repository.MadeUpInputs.Attempt;
import io.atelier.repository.MadeUpInputs.Spread;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Shows that requests to a model may share executions: rows that differ are run alone, then together, and each must give
 * what it gave alone. A model for which that is not shown runs one request at a time.
 *
 * <p>The rows are made up. Some are about 1 in size; some grow from row to row, so that a model that looks at a sum, a mean
 * or a largest number over all rows answers one of them otherwise; some are shorter, where axes are padded. A dependence
 * that none of them wakes is not found: outputs are looked at in each later execution too.
 */
final class BatchProof {
    private static final int FEW = 4;
    private static final int MANY = 16;

    /** Executions of one row that all of it amounts to, with as much again for what else the time is for. */
    private static final int ROWS_OF_A_PROOF = 250;

    private final ModelConfig config;
    private final ModelInstance instance;
    private final Executions executions;
    private final Tolerance tolerance;
    private final int maxBatchSize;

    /** @param maxBatchSize most rows in one execution */
    BatchProof(
            ModelConfig config, ModelInstance instance, Executions executions, Tolerance tolerance, int maxBatchSize) {
        this.config = config;
        this.instance = instance;
        this.executions = executions;
        this.tolerance = tolerance;
        this.maxBatchSize = maxBatchSize;
    }

    /** A question with its answer alone. */
    private record Row(List<Tensor> inputs, List<Tensor> answer) {}

    /**
     * What is shown.
     *
     * @param attempt inputs that the model takes; empty if none are known
     * @param known   a request of one row that its owner gave; empty if there is none
     */
    Sharing run(Optional<Attempt> attempt, Optional<List<Tensor>> known) {
        ModelSignature signature = instance.signature();
        Sharing able = instance.sharing();
        if (maxBatchSize == 1) {
            return Sharing.none("max-batch-size is 1");
        }
        if (!able.isAllowed()) {
            return able;
        }
        Optional<String> unpaddable = config.batching().padding().values().isEmpty()
                ? Optional.of("")
                : BatchLayout.obstacleToPadding(signature, config.batching().padding());
        if (config.batching().trusted()) {
            return signature.allStartDynamic()
                    ? new Sharing(able.extent(), unpaddable.isEmpty(), "trusted: the model's configuration says so")
                    : Sharing.none(signature.obstacleToRows().orElse(""));
        }
        Optional<String> obstacle = signature.obstacleToRows();
        if (obstacle.isPresent()) {
            return Sharing.none(obstacle.get());
        }
        if (attempt.isEmpty()) {
            return Sharing.none("not shown: no inputs are known that the model takes");
        }
        try {
            Optional<String> difference = rows(attempt.get(), known);
            if (difference.isPresent()) {
                return Sharing.none(difference.get());
            }
            Optional<String> padding = unpaddable.isPresent() ? unpaddable : padded(attempt.get());
            return new Sharing(
                    able.extent(),
                    padding.isEmpty(),
                    "shown at load"
                            + padding.filter(reason -> !reason.isEmpty())
                                    .map(reason -> "; nothing is padded: " + reason)
                                    .orElse(""));
        } catch (FailedException | ModelLoadException failure) {
            return Sharing.none("not shown: " + failure.getMessage());
        }
    }

    /** What differs between rows alone and together; empty if nothing does. */
    private Optional<String> rows(Attempt attempt, Optional<List<Tensor>> known)
            throws FailedException, ModelLoadException {
        int few = Math.min(FEW, maxBatchSize);
        List<Row> even = alone(attempt, Spread.EVEN, few, 1);
        if (!again(even.get(0))) {
            return Optional.of("not shown: it answers one question differently each time");
        }
        if (known.isPresent()) {
            even.set(0, new Row(known.get(), executions.answer(known.get())));
        }
        // a slow model is shown with fewer rows rather than not at all
        boolean slow = executions.leftNanos() / Math.max(1, executions.usualNanos()) < ROWS_OF_A_PROOF;
        int many = slow ? few : Math.min(MANY, maxBatchSize);
        List<List<Row>> trials = new ArrayList<>();
        trials.add(even);
        trials.add(alone(attempt, Spread.RISING, many, MANY / many));
        trials.add(alone(attempt, Spread.FALLING, many, MANY / many));
        trials.add(List.of(trials.get(1).get(0), trials.get(2).get(few - 1)));
        trials.add(List.of(trials.get(2).get(0), trials.get(1).get(few - 1)));
        if (!slow) {
            trials.add(repeated(even, maxBatchSize));
        }
        for (List<Row> trial : trials) {
            Optional<String> difference = difference(trial);
            if (difference.isPresent()) {
                return difference;
            }
        }
        return trials.stream().allMatch(BatchProof::areAllAlike)
                ? Optional.of("not shown: it answers all made-up inputs alike")
                : Optional.empty();
    }

    /** The same for rows of several lengths, filled up. */
    private Optional<String> padded(Attempt attempt) throws FailedException, ModelLoadException {
        List<Row> rows = new ArrayList<>();
        Map<Integer, String> refused = new HashMap<>();
        int most = Math.min(attempt.mostShorter(), 3);
        for (int number = 0; number < Math.min(FEW, maxBatchSize); number++) {
            List<Tensor> row = attempt.row(number, Spread.EVEN, most - Math.min(number, most));
            try {
                rows.add(new Row(row, executions.answer(row)));
            } catch (FailedException unfit) {
                refused.put(number, unfit.reason());
            }
        }
        if (rows.size() < 2
                || rows.get(0)
                        .inputs()
                        .toString()
                        .equals(rows.get(rows.size() - 1).inputs().toString())) {
            return Optional.of("not shown with inputs of several lengths" + (refused.isEmpty() ? "" : ": " + refused));
        }
        List<Row> backwards = new ArrayList<>(rows);
        Collections.reverse(backwards);
        Optional<String> difference = difference(rows);
        return difference.isPresent() ? difference : difference(backwards);
    }

    private List<Row> alone(Attempt attempt, Spread spread, int count, int step)
            throws FailedException, ModelLoadException {
        List<Row> rows = new ArrayList<>();
        for (int number = 0; number < count; number++) {
            List<Tensor> inputs = attempt.row(number * step, spread, 0);
            rows.add(new Row(inputs, executions.answer(inputs)));
        }
        return rows;
    }

    private boolean again(Row row) throws FailedException {
        List<Tensor> answer = executions.answer(row.inputs());
        for (int i = 0; i < answer.size(); i++) {
            if (!tolerance.same(row.answer().get(i), answer.get(i))) {
                return false;
            }
        }
        return true;
    }

    /** How rows together differ from the same rows alone; empty if they do not. */
    private Optional<String> difference(List<Row> rows) throws FailedException {
        List<List<Tensor>> answers;
        try {
            answers = executions.answers(rows.stream().map(Row::inputs).toList());
        } catch (FailedException failure) {
            return Optional.of("with " + rows.size() + " rows: " + failure.reason());
        }
        for (int row = 0; row < rows.size(); row++) {
            for (int output = 0; output < answers.get(row).size(); output++) {
                Tensor alone = rows.get(row).answer().get(output);
                Tensor together = answers.get(row).get(output);
                if (!tolerance.same(alone, together)) {
                    return Optional.of("among %d rows its output '%s' is not what it is alone"
                            .formatted(rows.size(), alone.name()));
                }
            }
        }
        return Optional.empty();
    }

    private static List<Row> repeated(List<Row> rows, int count) {
        List<Row> repeated = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            repeated.add(rows.get(i % rows.size()));
        }
        return repeated;
    }

    private static boolean areAllAlike(List<Row> rows) {
        for (Row row : rows) {
            for (int i = 0; i < row.answer().size(); i++) {
                if (!row.answer()
                        .get(i)
                        .data()
                        .equals(rows.get(0).answer().get(i).data())) {
                    return false;
                }
            }
        }
        return true;
    }
}
