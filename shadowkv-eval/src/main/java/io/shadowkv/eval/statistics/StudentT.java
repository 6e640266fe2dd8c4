package io.shadowkv.eval.statistics;

/// Student's t distribution.
public final class StudentT {
    private StudentT() {}

    /// The 97.5 % quantile: the range between it and its negative contains 95 % of the
    /// distribution.
    ///
    /// @param degrees degrees of freedom, greater than zero
    public static double critical(double degrees) {
        double low = 1.9;
        double high = 13;
        while (high - low > 1e-9) {
            double middle = (low + high) / 2;
            if (below(middle, degrees) < 0.975) {
                low = middle;
            } else {
                high = middle;
            }
        }
        return (low + high) / 2;
    }

    /// Share of the distribution below `t`, which is positive.
    static double below(double t, double degrees) {
        return 1 - 0.5 * incompleteBeta(degrees / (degrees + t * t), degrees / 2, 0.5);
    }

    /// The regularized incomplete beta function by its continued fraction (Abramowitz and Stegun,
    /// 26.5.8), with the arguments swapped if that converges faster.
    private static double incompleteBeta(double x, double a, double b) {
        if (x <= 0 || x >= 1) {
            return x <= 0 ? 0 : 1;
        }
        if (x > (a + 1) / (a + b + 2)) {
            return 1 - incompleteBeta(1 - x, b, a);
        }
        double front = Math.exp(logGamma(a + b) - logGamma(a) - logGamma(b) + a * Math.log(x) + b * Math.log1p(-x)) / a;
        double fraction = 1;
        // Evaluated backwards: 300 terms are far more than the argument's range needs.
        for (int term = 300; term >= 1; term--) {
            double m = Math.floorDiv(term, 2);
            double factor = term % 2 == 0
                    ? m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
                    : -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
            fraction = 1 + factor / fraction;
        }
        return front / fraction;
    }

    /// Stirling's series, with the argument increased until it is exact to double precision.
    private static double logGamma(double x) {
        double shift = 0;
        double z = x;
        while (z < 12) {
            shift -= Math.log(z);
            z++;
        }
        double inverse = 1 / (z * z);
        double series = (1.0 / 12 - inverse * (1.0 / 360 - inverse * (1.0 / 1260 - inverse / 1680))) / z;
        return shift + (z - 0.5) * Math.log(z) - z + 0.5 * Math.log(2 * Math.PI) + series;
    }
}
