package io.atelier.engine.djl.task;

import ai.djl.modality.cv.output.Rectangle;
import io.atelier.core.Task;
import io.atelier.core.TaskAnswer;
import io.atelier.core.TaskAnswer.Found;
import io.atelier.core.TaskInput;
import io.atelier.core.TaskKind;
import io.atelier.core.Tensor;
import io.atelier.engine.TaskConfig.ObjectDetection;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** What is in an image, and where. Of boxes of one label that overlap too much the likeliest stays. */
final class ObjectDetectionTask implements Task {
    /** Thinning out compares each with each: only so many of the likeliest are looked at. */
    private static final int MOST_CANDIDATES = 1000;

    private final ImageInputs images;
    private final BoxReader boxes;
    private final List<String> labels;
    private final ObjectDetection config;

    ObjectDetectionTask(ImageInputs images, BoxReader boxes, List<String> labels, ObjectDetection config) {
        this.images = images;
        this.boxes = boxes;
        this.labels = List.copyOf(labels);
        this.config = config;
    }

    @Override
    public TaskKind kind() {
        return config.kind();
    }

    @Override
    public List<String> outputs() {
        return boxes.names();
    }

    @Override
    public List<Part> prepare(List<TaskInput> values, int maxRows) {
        return images.parts(values, (outputs, placement) -> List.of(found(outputs, placement)));
    }

    private record Candidate(int label, double score, Rectangle box) {}

    private TaskAnswer found(List<Tensor> outputs, Placement placement) {
        List<Candidate> candidates = new ArrayList<>();
        boxes.read(outputs, config.threshold(), images.width(), images.height(), (label, score, x1, y1, x2, y2) -> {
            if (x2 > x1 && y2 > y1) {
                candidates.add(new Candidate(label, score, new Rectangle(x1, y1, x2 - x1, y2 - y1)));
            }
        });
        candidates.sort(Comparator.comparingDouble(Candidate::score).reversed());
        Map<Integer, List<Candidate>> byLabel = new TreeMap<>();
        candidates.stream()
                .limit(MOST_CANDIDATES)
                .forEach(candidate -> byLabel.computeIfAbsent(candidate.label(), label -> new ArrayList<>())
                        .add(candidate));
        List<Candidate> kept = new ArrayList<>();
        for (List<Candidate> same : byLabel.values()) {
            Rectangle.nms(
                            same.stream().map(Candidate::box).toList(),
                            same.stream().map(Candidate::score).toList(),
                            (float) config.overlap())
                    .forEach(index -> kept.add(same.get(index)));
        }
        return new TaskAnswer.Objects(kept.stream()
                .sorted(Comparator.comparingDouble(Candidate::score).reversed())
                .limit(config.maxObjects())
                .map(candidate -> onImage(candidate, placement))
                .toList());
    }

    private Found onImage(Candidate candidate, Placement placement) {
        Rectangle box = candidate.box();
        return new Found(
                candidate.label() < labels.size() ? labels.get(candidate.label()) : Integer.toString(candidate.label()),
                candidate.score(),
                placement.onImage(box.getX(), box.getY(), box.getX() + box.getWidth(), box.getY() + box.getHeight()));
    }
}
