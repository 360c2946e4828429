package io.atelier.serving;

import io.atelier.core.ModelId;
import io.atelier.core.ServingException;
import io.atelier.core.ServingException.ModelNotFound;
import io.atelier.core.ServingException.NotReady;
import io.atelier.core.Sharing;
import io.atelier.serving.ModelState.State;
import java.time.Duration;
import java.util.ArrayList;
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

    /** When it is worth asking again for a model that is loading, and for one that somebody has to mend. */
    private static final Duration SOON = Duration.ofSeconds(1);

    private static final Duration LATER = Duration.ofSeconds(5);

    private final Map<ModelId, Entry> entries = new ConcurrentSkipListMap<>(ORDER);
    private final Map<String, String> broken = new ConcurrentSkipListMap<>();

    /** How a model version stands. */
    private sealed interface Entry {
        /** @param again whether it had failed before */
        record Loading(boolean again) implements Entry {}

        record Failed(String reason) implements Entry {}

        record Ready(ServedModel model) implements Entry {}

        record Ensemble(ServedEnsemble ensemble) implements Entry {}

        /** Could not be loaded, and nobody expects it to serve. */
        record Unavailable(String reason) implements Entry {}

        /** Answers what it has taken in. */
        record Unloading() implements Entry {}

        /** Served once. */
        record Unloaded() implements Entry {}

        /** Why it could not be loaded; empty if nobody tried in vain. */
        default Optional<String> failure() {
            if (this instanceof Failed failed) {
                return Optional.of(failed.reason());
            }
            return this instanceof Unavailable unavailable ? Optional.of(unavailable.reason()) : Optional.empty();
        }
    }

    /** It is being loaded; a version that serves already goes on. */
    public void loading(ModelId id) {
        entries.compute(id, (key, now) -> isServing(now) ? now : new Entry.Loading(now instanceof Entry.Failed));
    }

    /** A version that should serve could not be loaded. */
    public void failed(ModelId id, String reason) {
        entries.compute(id, (key, now) -> isServing(now) ? now : new Entry.Failed(reason));
    }

    /** Somebody tried to load it, in vain; a version that serves already goes on. */
    public void notLoaded(ModelId id, String reason) {
        entries.compute(
                id,
                (key, now) -> isServing(now)
                        ? now
                        : now instanceof Entry.Loading loading && loading.again()
                                ? new Entry.Failed(reason)
                                : new Entry.Unavailable(reason));
    }

    /** It takes no more requests; the model that served, if one did. */
    public Optional<ServedModel> unloading(ModelId id) {
        Optional<ServedModel> served = ready(id);
        entries.put(id, new Entry.Unloading());
        return served;
    }

    /** It is gone. */
    public void unloaded(ModelId id) {
        entries.put(id, new Entry.Unloaded());
    }

    /** The version, if it is ready. */
    public Optional<ServedModel> ready(ModelId id) {
        return entries.get(id) instanceof Entry.Ready ready ? Optional.of(ready.model()) : Optional.empty();
    }

    public void ready(ServedModel model) {
        entries.put(model.id(), new Entry.Ready(model));
    }

    public void ready(ServedEnsemble ensemble) {
        entries.put(ensemble.id(), new Entry.Ensemble(ensemble));
    }

    /** The ensemble of this name, in the version asked for or the newest; empty if the name is that of a model. */
    public Optional<ServedEnsemble> ensemble(String name, @Nullable String version) {
        return ensembles()
                .filter(served -> served.id().name().equals(name))
                .filter(served -> version == null || served.id().version().equals(version))
                .reduce((older, newer) -> newer);
    }

    /** Every ensemble version that is served. */
    Stream<ServedEnsemble> ensembles() {
        return entries.values().stream()
                .filter(Entry.Ensemble.class::isInstance)
                .map(entry -> ((Entry.Ensemble) entry).ensemble());
    }

    /** A folder that is no model. */
    public void broken(String folder, String reason) {
        broken.put(folder, reason);
    }

    /** The folder is a model now. */
    public void mended(String folder) {
        broken.remove(folder);
    }

    /** Every version of a model that is known, in ascending order. */
    public List<ModelId> known(String name) {
        return entries.keySet().stream().filter(id -> id.name().equals(name)).toList();
    }

    /**
     * The version asked for, or the newest that is ready.
     *
     * @throws ModelNotFound if there is none of this name, or none any more
     * @throws NotReady      if it is loading, or could not be loaded; the message says which, and why
     */
    public ServedModel find(String name, @Nullable String version) {
        Optional<ServedModel> ready = versions(name)
                .filter(served -> version == null || served.id().version().equals(version))
                .reduce((older, newer) -> newer);
        if (ready.isPresent()) {
            return ready.get();
        }
        throw refusal(name, version);
    }

    private ServingException refusal(String name, @Nullable String version) {
        List<Entry> asked = entries.entrySet().stream()
                .filter(entry -> entry.getKey().name().equals(name))
                .filter(entry -> version == null || entry.getKey().version().equals(version))
                .map(Map.Entry::getValue)
                .toList();
        if (asked.stream().anyMatch(Entry.Loading.class::isInstance)) {
            return new NotReady("model '" + name + "' is loading", SOON);
        }
        Optional<String> failure = asked.isEmpty()
                ? folderFailure(name, version)
                : asked.stream().map(Entry::failure).flatMap(Optional::stream).reduce((older, newer) -> newer);
        if (failure.isPresent()) {
            return new NotReady("model '" + name + "' could not be loaded: " + failure.get(), LATER);
        }
        return asked.isEmpty() ? new ModelNotFound(name, version) : ModelNotFound.unloaded(name, version);
    }

    /** What is wrong with the folder of a model, or of one of its versions, of which nothing else is known. */
    private Optional<String> folderFailure(String name, @Nullable String version) {
        return Optional.ofNullable(broken.get(name))
                .filter(reason -> known(name).isEmpty() || reason.startsWith("version " + version + ": "));
    }

    /** Versions of a model that are ready, the newest last. */
    public List<String> readyVersions(String name) {
        return entries.entrySet().stream()
                .filter(entry -> entry.getKey().name().equals(name))
                .filter(entry -> isServing(entry.getValue()))
                .map(entry -> entry.getKey().version())
                .toList();
    }

    /** Every version that is ready. */
    public List<ServedModel> ready() {
        return entries.values().stream()
                .filter(Entry.Ready.class::isInstance)
                .map(entry -> ((Entry.Ready) entry).model())
                .toList();
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
                        entry -> word(entry.getValue()),
                        (a, b) -> a,
                        TreeMap::new));
    }

    /** How each model version stands, and why; and each folder of which no version is known. */
    public List<ModelState> index() {
        List<ModelState> index = new ArrayList<>();
        entries.forEach((id, entry) -> index.add(state(id, entry)));
        broken.forEach((name, reason) -> {
            if (known(name).isEmpty()) {
                index.add(new ModelState(name, null, State.UNAVAILABLE, reason));
            }
        });
        return index;
    }

    private static ModelState state(ModelId id, Entry entry) {
        State state = State.UNAVAILABLE;
        String reason = "";
        if (isServing(entry)) {
            state = State.READY;
            reason = entry instanceof Entry.Ready ready ? note(ready.model()) : "";
        } else if (entry instanceof Entry.Loading) {
            state = State.LOADING;
        } else if (entry instanceof Entry.Unloading) {
            state = State.UNLOADING;
        } else {
            reason = entry.failure().orElse("unloaded");
        }
        return new ModelState(id.name(), id.version(), state, reason);
    }

    /** What people should know of a model that serves. */
    private static String note(ServedModel model) {
        Sharing sharing = model.queue().sharing();
        return sharing.isAllowed() ? "" : "runs one request at a time: " + sharing.reason();
    }

    private static String word(Entry entry) {
        Class<?> state = isServing(entry) ? Entry.Ready.class : entry.getClass();
        return state.getSimpleName().toUpperCase(Locale.ROOT);
    }

    private static boolean isServing(@Nullable Entry entry) {
        return entry instanceof Entry.Ready || entry instanceof Entry.Ensemble;
    }

    private Stream<ServedModel> versions(String name) {
        return ready().stream().filter(served -> served.id().name().equals(name));
    }

    private static int compareVersions(String a, String b) {
        return a.length() != b.length() ? Integer.compare(a.length(), b.length()) : a.compareTo(b);
    }
}
