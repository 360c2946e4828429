package io.atelier.app;

import io.atelier.core.ModelId;
import io.atelier.core.ServingListener;
import org.jboss.logging.Logger;

/** Writes to the log what an operator must hear of while requests are served. Thread-safe. */
final class OperatorLog implements ServingListener {
    private static final Logger LOG = Logger.getLogger(OperatorLog.class);

    @Override
    public void onSharingStopped(ModelId model, String reason) {
        LOG.warnf("model %s runs one request at a time from now on: %s", model, reason);
    }
}
