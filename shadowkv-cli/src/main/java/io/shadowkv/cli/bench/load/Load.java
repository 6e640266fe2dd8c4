package io.shadowkv.cli.bench.load;

import java.util.Locale;

/// How often requests are sent.
public sealed interface Load {
    /// Place on the horizontal axis of curves.
    double value();

    /// Open loop with Poisson arrivals.
    ///
    /// @param perSecond mean number of arrivals in a second
    record Rate(double perSecond) implements Load {
        public Rate {
            if (!(perSecond > 0) || Double.isInfinite(perSecond)) {
                throw new IllegalArgumentException(
                        "--rate is " + perSecond + "; expected more than 0 requests per second, such as 0.5");
            }
        }

        @Override
        public double value() {
            return perSecond;
        }

        @Override
        public String toString() {
            return String.format(Locale.ROOT, "%.4g requests/s, Poisson arrivals", perSecond);
        }
    }

    /// Closed loop.
    ///
    /// @param count number of clients, each of which waits for its answer before it asks again
    record Clients(int count) implements Load {
        public Clients {
            if (count < 1) {
                throw new IllegalArgumentException("--concurrency is " + count + "; expected 1 or more");
            }
        }

        @Override
        public double value() {
            return count;
        }

        @Override
        public String toString() {
            return count + (count == 1 ? " client" : " clients");
        }
    }
}
