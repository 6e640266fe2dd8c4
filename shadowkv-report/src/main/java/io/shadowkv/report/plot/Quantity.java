package io.shadowkv.report.plot;

import java.util.Locale;

/// Formats numbers for readers: three digits, a space and a unit.
public final class Quantity {
    private static final String[] BYTE_UNITS = {"B", "KiB", "MiB", "GiB", "TiB"};

    private Quantity() {}

    /// Such as `80.0 MiB`; units are powers of 1,024.
    public static String bytes(double bytes) {
        int unit = 0;
        double value = bytes;
        while (Math.abs(value) >= 1000 && unit < BYTE_UNITS.length - 1) {
            value /= 1024;
            unit++;
        }
        return (unit == 0 ? whole(value) : threeDigits(value)) + " " + BYTE_UNITS[unit];
    }

    /// Such as `8.21 s`, `340 ms`, `2 min 05 s`.
    public static String seconds(double seconds) {
        if (!Double.isFinite(seconds)) {
            return "–";
        }
        if (seconds < 0.9995) {
            return threeDigits(seconds * 1000) + " ms";
        }
        if (seconds < 119.5) {
            return threeDigits(seconds) + " s";
        }
        long whole = Math.round(seconds);
        return whole < 7200
                ? String.format(Locale.ROOT, "%d min %02d s", whole / 60, whole % 60)
                : String.format(Locale.ROOT, "%d h %02d min", whole / 3600, whole / 60 % 60);
    }

    /// Such as `61.4 %`, `50 %`; a dash for NaN.
    public static String share(double share) {
        double percent = 100 * share;
        boolean isWhole = Math.abs(percent - Math.rint(percent)) < 1e-9;
        return Double.isFinite(share) ? (isWhole ? whole(percent) : threeDigits(percent)) + " %" : "–";
    }

    /// Such as `2.13×`; a dash for NaN.
    public static String times(double factor) {
        return Double.isFinite(factor) ? threeDigits(factor) + "×" : "–";
    }

    /// Such as `212`, `21.2`, `2.12`, with commas from 1,000; a dash for NaN.
    public static String threeDigits(double value) {
        double size = Math.abs(value);
        String format = size >= 99.95 ? "%,.0f" : size >= 9.995 ? "%.1f" : "%.2f";
        return Double.isFinite(value) ? String.format(Locale.ROOT, format, value) : "–";
    }

    /// Such as `16,384`.
    public static String whole(double value) {
        return String.format(Locale.ROOT, "%,.0f", value);
    }

    /// `16K` for multiples of 1,024 tokens, otherwise such as `16,000`.
    public static String tokens(int tokens) {
        return tokens >= 1024 && tokens % 1024 == 0 ? tokens / 1024 + "K" : whole(tokens);
    }
}
