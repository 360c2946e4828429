package io.atelier.conformance;

/**
 * One demand. Immutable.
 *
 * @param number    stays the same for ever
 * @param procedure asks the server; returns where it does what is demanded
 */
public record Check(String number, String title, Level level, Source source, Procedure procedure) {
    /** Asks a server. */
    @FunctionalInterface
    public interface Procedure {
        void ask(Server server) throws Exception;
    }

    Verdict verdict(Server server) {
        try {
            procedure.ask(server);
            return new Verdict.Passed();
        } catch (NotApplicable nothing) {
            return nothing.verdict();
        } catch (Failure failure) {
            return failure.verdict();
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            return new Verdict.Skipped("interrupted");
        } catch (Exception unexpected) {
            return new Verdict.Failed("an answer", unexpected.toString());
        }
    }
}
