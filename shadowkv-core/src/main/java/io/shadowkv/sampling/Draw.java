package io.shadowkv.sampling;

/// One random draw from candidates: truncation by top-k, top-p and min-p, then the first candidate
/// whose cumulated weight exceeds the random share of the kept weight.
///
/// Weights are `exp((logit - largest) / temperature)`, cumulated in descending order, so they have
/// the same bits whether the candidates are the whole row or only its largest logits. What the
/// largest logits do not tell is the weight of the whole row. It lies between two bounds, and
/// everything that depends on it grows with it: the number of tokens that top-p keeps, their weight,
/// and the rank drawn. If both bounds lead to the same rank, the whole row does too.
final class Draw {
    /// Not a rank: there are too few candidates.
    private static final int TOO_FEW = -1;
    /// The bounds' distance from the sum that a backend computed, relative to the sum: twice
    /// `SamplingOperations.LOG_SUM_ERROR`. The rest covers the rounding of the inverse temperature to
    /// float and of the sums in double.
    private static final double SUM_ERROR = 1e-5;

    private final SamplingOptions options;
    /// Cumulated weights of the candidates that top-k keeps.
    private final double[] cumulated;
    /// Candidates that min-p keeps and whose weight is not 0.
    private final int likely;
    /// True if top-k keeps no token outside the candidates.
    private final boolean isWhole;

    private Draw(Candidates candidates, SamplingOptions options) {
        this.options = options;
        int size = candidates.size();
        int kept = options.topK() == 0 ? size : Math.min(options.topK(), size);
        isWhole = candidates.isWhole() || (options.topK() != 0 && options.topK() <= size);
        cumulated = new double[kept];
        double temperature = options.drawTemperature();
        double largest = candidates.logit(0);
        double sum = 0;
        int above = 0;
        for (int i = 0; i < kept; i++) {
            double weight = Math.exp((candidates.logit(i) - largest) / temperature);
            sum += weight;
            cumulated[i] = sum;
            above += weight > 0 && weight >= options.minP() ? 1 : 0;
        }
        likely = above;
    }

    /// Rank of the candidate drawn, or a negative number if there are too few candidates.
    ///
    /// @param uniform random number from 0 to 1 (exclusive)
    static int rank(Candidates candidates, SamplingOptions options, double uniform) {
        var draw = new Draw(candidates, options);
        double known = draw.cumulated[draw.cumulated.length - 1];
        if (draw.isWhole) {
            return draw.rank(uniform, known, known);
        }
        double sum = candidates.temperedSum(options.inverseTemperature());
        // Top-k keeps more than the candidates and less than the row: any sum between is possible.
        double least = options.topK() == 0 ? Math.max(known, sum * (1 - SUM_ERROR)) : known;
        double most = Math.max(known, sum * (1 + SUM_ERROR));
        // Tokens outside the candidates that min-p drops do not count for the draw.
        double leastDrawn = options.topP() < 1 || options.minP() > 0 ? known : least;
        int low = draw.rank(uniform, least, leastDrawn);
        return low == draw.rank(uniform, most, most) ? low : TOO_FEW;
    }

    /// @param total weight of the tokens that top-k keeps
    /// @param drawn weight of the tokens from which one is drawn, if they are not all candidates
    private int rank(double uniform, double total, double drawn) {
        int kept = keptByTopP(total);
        boolean isInside = kept <= cumulated.length || likely < cumulated.length || isWhole;
        kept = Math.min(kept, likely);
        double target = uniform * (isInside ? cumulated[kept - 1] : drawn);
        for (int i = 0; i < kept; i++) {
            if (cumulated[i] > target) {
                return i;
            }
        }
        return isInside ? kept - 1 : TOO_FEW;
    }

    /// The fewest tokens whose weight reaches top-p of the total; one more than there are candidates
    /// if these do not reach it.
    private int keptByTopP(double total) {
        if (options.topP() == 1) {
            return isWhole ? cumulated.length : cumulated.length + 1;
        }
        double enough = options.topP() * total;
        int kept = 0;
        while (kept < cumulated.length && cumulated[kept] < enough) {
            kept++;
        }
        return kept + 1;
    }
}
