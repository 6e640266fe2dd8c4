package io.shadowkv.engine.study;

import io.shadowkv.cache.KvCacheSpec.Shadow;
import java.util.List;
import java.util.OptionalDouble;

/// What each layer's selection holds of full attention at several budgets, and the budgets that a goal
/// asks for.
///
/// @param tokens tokens of the text that the index has
/// @param positions number of tokens after it whose attention was measured
/// @param spec strategy whose selection was measured
/// @param goal what the budgets were to meet
/// @param layers all layers, in order
/// @param current divergence from full attention with the budget of `spec` in all layers
/// @param proposed the same with the proposed budgets
public record Calibration(
        int tokens,
        int positions,
        Shadow spec,
        Goal goal,
        List<Layer> layers,
        Divergence current,
        Divergence proposed) {
    public Calibration {
        layers = List.copyOf(layers);
    }

    /// One layer.
    ///
    /// @param held mean share of attention that is held at the budget, and at its doublings; the last
    ///     one is everything
    /// @param times proposed budget, as a multiple of the budget
    /// @param stepBytes bytes of index, keys and values that a step with the proposed budget reads for
    ///     each new token
    public record Layer(List<Double> held, int times, long stepBytes) {
        public Layer {
            held = List.copyOf(held);
        }

        /// The share that is held at a multiple of the budget, a power of two.
        public double heldAt(int multiple) {
            return held.get(Math.min(Integer.numberOfTrailingZeros(multiple), held.size() - 1));
        }
    }

    /// What the budgets must meet.
    public sealed interface Goal {
        /// Every layer holds at least this share of attention.
        ///
        /// @param share above 0, up to 1; empty for [#PART_OF_MEDIAN] of what the median layer holds at
        ///     the budget
        record Mass(OptionalDouble share) implements Goal {
            /// Part of the median layer's share that every layer must hold.
            public static final double PART_OF_MEDIAN = 0.75;

            public Mass {
                if (share.isPresent() && !(share.getAsDouble() > 0 && share.getAsDouble() <= 1)) {
                    throw new IllegalArgumentException(
                            "attention mass is " + share.getAsDouble() + "; expected above 0, up to 1");
                }
            }
        }

        /// The mean KL divergence from full attention is at most this.
        ///
        /// @param nats above 0
        record Kl(double nats) implements Goal {
            public Kl {
                if (!(nats > 0)) {
                    throw new IllegalArgumentException("KL divergence is " + nats + " nats; expected above 0");
                }
            }
        }
    }

    /// The proposed budgets as multiples of the budget, without the last layers of 1: what
    /// `--layer-budgets` takes. Empty if all layers keep the budget.
    public List<Integer> times() {
        int last = layers.size();
        while (last > 0 && layers.get(last - 1).times() == 1) {
            last--;
        }
        return layers.subList(0, last).stream().map(Layer::times).toList();
    }
}
