package io.atelier.api;

import io.netty.bootstrap.ChannelInitializerExtension;
import io.netty.channel.Channel;
import io.netty.channel.ChannelPipeline;
import io.quarkus.vertx.http.runtime.filters.Filters;
import io.vertx.core.http.HttpVersion;
import io.vertx.core.http.impl.HttpServerConnection;
import io.vertx.ext.web.RoutingContext;
import jakarta.enterprise.event.Observes;
import jakarta.inject.Singleton;
import java.time.Duration;
import org.eclipse.microprofile.config.ConfigProvider;

/**
 * Gives each connection its {@link HeadGuard}, and tells it when a request begins and ends. Vert.x has neither a time
 * limit for heads nor a place for handlers of one's own; Netty has, for extensions that it finds as services.
 *
 * <p>A test's or dev mode's class loaders hide the service from Netty, so there connections have no guard.
 */
@Singleton
public class GuardedConnections {
    /** Before everything that may refuse a request. */
    private static final int FIRST = 1_000;

    void watch(@Observes Filters filters) {
        // read once, when the first server of the process is bound, which is after this
        System.setProperty(ChannelInitializerExtension.EXTENSIONS_SYSTEM_PROPERTY, "serviceload");
        filters.register(GuardedConnections::began, FIRST);
    }

    private static void began(RoutingContext context) {
        if (context.request().connection() instanceof HttpServerConnection connection) {
            ChannelPipeline pipeline = connection.channel().pipeline();
            HeadGuard guard = pipeline.get(HeadGuard.class);
            if (guard != null) {
                guard.requestBegan(context.request()::isEnded);
                if (context.request().version() == HttpVersion.HTTP_2) {
                    pipeline.remove(guard); // frames of many requests, not heads
                } else {
                    context.addEndHandler(ended -> guard.requestEnded());
                }
            }
        }
        context.next();
    }

    /** Found by Netty as a service. */
    public static final class Extension extends ChannelInitializerExtension {
        @Override
        public void postInitializeServerChildChannel(Channel channel) {
            Duration timeout = ConfigProvider.getConfig().getValue("quarkus.http.read-timeout", Duration.class);
            channel.pipeline().addFirst(new HeadGuard(timeout));
        }
    }
}
