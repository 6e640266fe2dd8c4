package io.shadowkv.eval.statistics;

import java.util.Arrays;
import java.util.List;

/// 95 % confidence intervals by formula: without random numbers, the same in every run.
///
/// Each formula keeps its coverage with few samples and if every sample is right. Shares that are
/// all 0 or 1 use Wilson's interval (E. B. Wilson, JASA 22, 1927). Differences of pairs that are
/// all −1, 0 or 1 use the adjusted Wald interval of D. G. Bonett and R. M. Price (J. Educational
/// and Behavioral Statistics 37, 2012), which adds one better and one worse pair. Other values use
/// Student's t interval if at least ten of them differ from the most frequent one, otherwise the
/// same two formulas: values between the ends vary less than values at the ends, so these intervals
/// are too wide rather than too narrow. Averages over tasks combine the tasks' intervals (G. Y. Zou
/// and A. Donner, Statistics in Medicine 27, 2008).
public final class Intervals {
    /// The 97.5 % quantile of the normal distribution.
    static final double Z = 1.959963984540054;

    /// Minimum number of values other than the most frequent one to estimate a variance.
    private static final int LEAST_UNLIKE = 10;

    private Intervals() {}

    /// The mean of shares from 0 to 1.
    public static Estimate mean(double[] shares) {
        if (shares.length == 0) {
            return Estimate.NONE;
        }
        double mean = average(shares);
        boolean isSpread = isSpread(shares, 0, 1);
        Interval interval = isSpread ? studentT(shares).clamped(0, 1) : wilson(mean, shares.length);
        return new Estimate(mean, interval, shares.length);
    }

    /// The mean of differences between shares, each −1 to 1.
    public static Estimate difference(double[] differences) {
        if (differences.length == 0) {
            return Estimate.NONE;
        }
        boolean isSpread = isSpread(differences, -1, 0, 1);
        Interval interval = isSpread ? studentT(differences) : bonettPrice(differences);
        return new Estimate(average(differences), interval.clamped(-1, 1), differences.length);
    }

    /// The mean of independent estimates with equal weights.
    public static Estimate average(List<Estimate> parts) {
        List<Estimate> known = parts.stream().filter(e -> e.samples() > 0).toList();
        if (known.isEmpty()) {
            return Estimate.NONE;
        }
        double value = known.stream().mapToDouble(Estimate::value).average().orElseThrow();
        double below = known.stream()
                .mapToDouble(e -> square(e.value() - e.interval().low()))
                .sum();
        double above = known.stream()
                .mapToDouble(e -> square(e.interval().high() - e.value()))
                .sum();
        int count = known.size();
        return new Estimate(
                value,
                new Interval(value - Math.sqrt(below) / count, value + Math.sqrt(above) / count),
                known.stream().mapToInt(Estimate::samples).sum());
    }

    /// Wilson's score interval.
    ///
    /// @param share observed among `count` samples
    static Interval wilson(double share, int count) {
        double z2 = Z * Z / count;
        double centre = (share + z2 / 2) / (1 + z2);
        double half = Z / (1 + z2) * Math.sqrt(share * (1 - share) / count + z2 / (4 * count));
        return new Interval(centre - half, centre + half).clamped(0, 1);
    }

    /// The interval after adding two pairs, one better and one worse by the maximum difference.
    static Interval bonettPrice(double[] differences) {
        int count = differences.length + 2;
        double centre = sum(differences) / count;
        double squares = (squaresAround(0, differences) + 2) / count;
        double half = Z * Math.sqrt((squares - centre * centre) / count);
        return new Interval(centre - half, centre + half);
    }

    static Interval studentT(double[] values) {
        double mean = average(values);
        double variance = squaresAround(mean, values) / (values.length - 1);
        double half = StudentT.critical(values.length - 1.0) * Math.sqrt(variance / values.length);
        return new Interval(mean - half, mean + half);
    }

    private static boolean isSpread(double[] values, double... whole) {
        if (areAmong(whole, values)) {
            return false;
        }
        double[] sorted = values.clone();
        Arrays.sort(sorted);
        int longest = 0;
        int run = 0;
        for (int i = 0; i < sorted.length; i++) {
            run = i > 0 && sorted[i] == sorted[i - 1] ? run + 1 : 1;
            longest = Math.max(longest, run);
        }
        return sorted.length - longest >= LEAST_UNLIKE;
    }

    private static boolean areAmong(double[] whole, double[] values) {
        for (double value : values) {
            boolean isFound = false;
            for (double one : whole) {
                isFound |= one == value;
            }
            if (!isFound) {
                return false;
            }
        }
        return true;
    }

    private static double average(double[] values) {
        return sum(values) / values.length;
    }

    private static double sum(double[] values) {
        double sum = 0;
        for (double value : values) {
            sum += value;
        }
        return sum;
    }

    private static double squaresAround(double centre, double[] values) {
        double sum = 0;
        for (double value : values) {
            sum += square(value - centre);
        }
        return sum;
    }

    private static double square(double value) {
        return value * value;
    }
}
