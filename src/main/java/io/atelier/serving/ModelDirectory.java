package io.atelier.serving;

import io.atelier.core.ModelId;
import io.atelier.core.ServingException.ModelNotFound;
import io.atelier.core.ServingException.NotReady;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Every model version that is known, and how it stands. Thread-safe. */
public final class ModelDirectory {
    private static final Comparator<ModelId> ORDER =
            Comparator.comparing(ModelId::name).thenComparing(ModelId::version, ModelDirectory::compareVersions);

    private final Map<ModelId, Entry> entries = new ConcurrentSkipListMap<>(ORDER);
    private final Map<String, String> broken = new ConcurrentSkipListMap<>();

    /** How a model version stands. */
    private sealed interface Entry {
        record Loading() implements Entry {}

        record Failed(String reason) implements Entry {}

        record Ready(ServedModel model) implements Entry {}
    }

    public void loading(ModelId id) {
        entries.put(id, new Entry.Loading());
    }

    /** Loading it failed; a version that serves already goes on. */
    public void failed(ModelId id, String reason) {
        entries.compute(id, (key, now) -> now instanceof Entry.Ready ? now : new Entry.Failed(reason));
    }

    /** The version, if it is ready. */
    public Optional<ServedModel> ready(ModelId id) {
        return entries.get(id) instanceof Entry.Ready ready ? Optional.of(ready.model()) : Optional.empty();
    }

    public void ready(ServedModel model) {
        entries.put(model.id(), new Entry.Ready(model));
    }

    /** A folder that is no model. */
    public void broken(String folder, String reason) {
        broken.put(folder, reason);
    }

    /**
     * The version asked for, or the newest that is ready.
     *
     * @throws ModelNotFound if there is none of this name
     * @throws NotReady      if it is there and cannot serve
     */
    public ServedModel find(String name, @Nullable String version) {
        Optional<ServedModel> ready = versions(name)
                .filter(served -> version == null || served.id().version().equals(version))
                .reduce((older, newer) -> newer);
        if (ready.isPresent()) {
            return ready.get();
        }
        boolean known = entries.keySet().stream()
                .anyMatch(id -> id.name().equals(name)
                        && (version == null || id.version().equals(version)));
        if (known) {
            throw new NotReady("model '" + name + "' is not ready", Duration.ofSeconds(1));
        }
        throw new ModelNotFound(name, version);
    }

    /** Versions of a model that are ready, the newest last. */
    public List<String> readyVersions(String name) {
        return versions(name).map(served -> served.id().version()).toList();
    }

    /** Every version that is ready. */
    public List<ServedModel> ready() {
        return entries.values().stream()
                .filter(Entry.Ready.class::isInstance)
                .map(entry -> ((Entry.Ready) entry).model())
                .toList();
    }

    public boolean isLoading() {
        return entries.values().stream().anyMatch(Entry.Loading.class::isInstance);
    }

    /** Why models and folders are not served, by name. */
    public Map<String, String> failures() {
        Map<String, String> failures = new TreeMap<>(broken);
        entries.forEach((id, entry) -> {
            if (entry instanceof Entry.Failed failed) {
                failures.put(id.toString(), failed.reason());
            }
        });
        return failures;
    }

    /** How each model version stands, in a word. */
    public Map<String, String> states() {
        return entries.entrySet().stream()
                .collect(Collectors.toMap(
                        entry -> entry.getKey().toString(),
                        entry -> entry.getValue().getClass().getSimpleName().toUpperCase(Locale.ROOT),
                        (a, b) -> a,
                        TreeMap::new));
    }

    private Stream<ServedModel> versions(String name) {
        return ready().stream().filter(served -> served.id().name().equals(name));
    }

    private static int compareVersions(String a, String b) {
        return a.length() != b.length() ? Integer.compare(a.length(), b.length()) : a.compareTo(b);
    }
}
