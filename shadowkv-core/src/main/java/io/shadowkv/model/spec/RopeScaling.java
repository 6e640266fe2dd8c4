package io.shadowkv.model.spec;

/// How rotary frequencies are scaled for contexts longer than the one that a model was first
/// trained on. The formulas are those of Hugging Face transformers, `modeling_rope_utils.py`.
public sealed interface RopeScaling {
    /// Name as `config.json` spells it.
    String name();

    /// Scaled frequencies.
    ///
    /// @param plain unscaled frequencies, fastest first
    double[] scale(double[] plain, RopeSpec spec, boolean isLong);

    /// Factor that multiplies all cosines and sines.
    default double attentionFactor() {
        return 1;
    }

    /// Unscaled frequencies.
    record None() implements RopeScaling {
        @Override
        public String name() {
            return "default";
        }

        @Override
        public double[] scale(double[] plain, RopeSpec spec, boolean isLong) {
            return plain;
        }
    }

    /// @throws IllegalArgumentException unless `value` is finite and above 0: any other value would
    ///     give NaN, or rotate backwards
    private static void requirePositive(String scaling, String key, double value) {
        if (!(value > 0 && Double.isFinite(value))) {
            throw new IllegalArgumentException(
                    "rope scaling " + scaling + " has " + key + " " + value + "; expected a number above 0");
        }
    }

    /// Divides positions by a factor.
    record Linear(double factor) implements RopeScaling {
        public Linear {
            requirePositive("linear", "factor", factor);
        }

        @Override
        public String name() {
            return "linear";
        }

        @Override
        public double[] scale(double[] plain, RopeSpec spec, boolean isLong) {
            double[] scaled = new double[plain.length];
            for (int i = 0; i < plain.length; i++) {
                scaled[i] = plain[i] / factor;
            }
            return scaled;
        }
    }

    /// Divides the frequency of each pair by a number of its own. A GGUF file has Llama 3.1's scaling
    /// in this form.
    ///
    /// @param divisors rotaryDim / 2 numbers
    record Divisors(double[] divisors) implements RopeScaling {
        public Divisors {
            for (double divisor : divisors) {
                requirePositive("rope_freqs", "a divisor", divisor);
            }
        }

        @Override
        public String name() {
            return "rope_freqs";
        }

        @Override
        public double[] scale(double[] plain, RopeSpec spec, boolean isLong) {
            if (divisors.length != plain.length) {
                throw new IllegalArgumentException("rope scaling rope_freqs has " + divisors.length
                        + " divisors; expected " + plain.length + ", half the rotary dimension");
            }
            double[] scaled = new double[plain.length];
            for (int i = 0; i < plain.length; i++) {
                scaled[i] = plain[i] / divisors[i];
            }
            return scaled;
        }
    }

    /// Llama 3.1: divides slow frequencies, keeps fast ones, and interpolates smoothly in between.
    ///
    /// @param originalContext context before scaling, tokens
    record Llama3(double factor, double lowFrequencyFactor, double highFrequencyFactor, int originalContext)
            implements RopeScaling {
        public Llama3 {
            requirePositive("llama3", "factor", factor);
            requirePositive("llama3", "low_freq_factor", lowFrequencyFactor);
            requirePositive("llama3", "original_max_position_embeddings", originalContext);
            if (!(highFrequencyFactor > lowFrequencyFactor && Double.isFinite(highFrequencyFactor))) {
                throw new IllegalArgumentException("rope scaling llama3 has high_freq_factor " + highFrequencyFactor
                        + " and low_freq_factor " + lowFrequencyFactor + "; expected the first to be larger");
            }
        }

        @Override
        public String name() {
            return "llama3";
        }

        @Override
        public double[] scale(double[] plain, RopeSpec spec, boolean isLong) {
            double longest = originalContext / lowFrequencyFactor;
            double shortest = originalContext / highFrequencyFactor;
            double[] scaled = new double[plain.length];
            for (int i = 0; i < plain.length; i++) {
                double wavelength = 2 * Math.PI / plain[i];
                if (wavelength < shortest) {
                    scaled[i] = plain[i];
                } else if (wavelength > longest) {
                    scaled[i] = plain[i] / factor;
                } else {
                    double smooth = (originalContext / wavelength - lowFrequencyFactor)
                            / (highFrequencyFactor - lowFrequencyFactor);
                    scaled[i] = (1 - smooth) * plain[i] / factor + smooth * plain[i];
                }
            }
            return scaled;
        }
    }

    /// YaRN (arXiv 2309.00071): interpolates over the dimensions between divided and kept
    /// frequencies, and scales attention.
    ///
    /// @param originalContext context before scaling, tokens
    /// @param betaFast rotations over the original context above which a dimension is kept
    /// @param betaSlow rotations below which a dimension is divided
    /// @param attentionFactor factor that multiplies cosines and sines
    /// @param truncate true rounds the ramp's ends to whole dimensions
    record Yarn(
            double factor,
            int originalContext,
            double betaFast,
            double betaSlow,
            double attentionFactor,
            boolean truncate)
            implements RopeScaling {
        public Yarn {
            requirePositive("yarn", "factor", factor);
            requirePositive("yarn", "original_max_position_embeddings", originalContext);
            requirePositive("yarn", "beta_fast", betaFast);
            requirePositive("yarn", "beta_slow", betaSlow);
            requirePositive("yarn", "attention_factor", attentionFactor);
        }

        @Override
        public String name() {
            return "yarn";
        }

        @Override
        public double[] scale(double[] plain, RopeSpec spec, boolean isLong) {
            double low = dimensionOf(betaFast, spec);
            double high = dimensionOf(betaSlow, spec);
            if (truncate) {
                low = Math.floor(low);
                high = Math.ceil(high);
            }
            low = Math.max(low, 0);
            high = Math.min(high, spec.rotaryDim() - 1);
            double width = high == low ? 0.001 : high - low;
            double[] scaled = new double[plain.length];
            for (int i = 0; i < plain.length; i++) {
                double divided = Math.clamp((i - low) / width, 0.0, 1.0);
                scaled[i] = plain[i] / factor * divided + plain[i] * (1 - divided);
            }
            return scaled;
        }

        /// The (fractional) index of the pair that rotates `rotations` times over the original
        /// context.
        private double dimensionOf(double rotations, RopeSpec spec) {
            return spec.rotaryDim()
                    * Math.log(originalContext / (rotations * 2 * Math.PI))
                    / (2 * Math.log(spec.theta()));
        }
    }

    /// LongRoPE (arXiv 2402.13753) as Phi-3 uses it: one factor per pair, with different factors
    /// for sequences longer than the original context.
    ///
    /// @param shortFactors rotaryDim / 2 divisors
    /// @param longFactors rotaryDim / 2 divisors
    /// @param originalContext context before scaling, tokens
    /// @param attentionFactor factor that multiplies cosines and sines, for short sequences too
    record LongRope(double[] shortFactors, double[] longFactors, int originalContext, double attentionFactor)
            implements RopeScaling {
        public LongRope {
            for (double factor : shortFactors) {
                requirePositive("longrope", "short_factor", factor);
            }
            for (double factor : longFactors) {
                requirePositive("longrope", "long_factor", factor);
            }
            requirePositive("longrope", "original_max_position_embeddings", originalContext);
            requirePositive("longrope", "attention_factor", attentionFactor);
        }

        @Override
        public String name() {
            return "longrope";
        }

        @Override
        public double[] scale(double[] plain, RopeSpec spec, boolean isLong) {
            double[] factors = isLong ? longFactors : shortFactors;
            if (factors.length != plain.length) {
                throw new IllegalArgumentException("rope scaling longrope has " + factors.length
                        + (isLong ? " numbers in long_factor" : " numbers in short_factor") + "; expected "
                        + plain.length
                        + ", half the rotary dimension");
            }
            double[] scaled = new double[plain.length];
            for (int i = 0; i < plain.length; i++) {
                scaled[i] = plain[i] / factors[i];
            }
            return scaled;
        }
    }
}
