package io.shadowkv.text.jinja.builtin;

import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.time.temporal.ChronoField;
import java.time.temporal.IsoFields;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// Python's `strftime` for a time without a zone, in English, with the output of the GNU C library.
///
/// An unknown code is left as it is, as in the GNU C library.
public final class TimeFormat {
    /// `%`, flags, a width, and the code.
    private static final Pattern CODE = Pattern.compile("%([-_0^#]*)(\\d{0,4})([a-zA-Z%])");

    private TimeFormat() {}

    /// @param time its zone is used for `%s` only
    public static String text(String format, ZonedDateTime time) {
        Matcher code = CODE.matcher(format);
        StringBuilder text = new StringBuilder();
        while (code.find()) {
            code.appendReplacement(text, Matcher.quoteReplacement(shown(code, time)));
        }
        return code.appendTail(text).toString();
    }

    private static String shown(Matcher code, ZonedDateTime time) {
        char letter = code.group(3).charAt(0);
        String flags = code.group(1);
        String width = code.group(2);
        String text = text(letter, time);
        if (text != null) {
            boolean isChanged = flags.contains("#") && "aAbBhp".indexOf(letter) >= 0;
            boolean isUpper = (isChanged || flags.contains("^")) && letter != 'P';
            text = isChanged && letter == 'p'
                    ? text.toLowerCase(Locale.ROOT)
                    : isUpper ? text.toUpperCase(Locale.ROOT) : text;
            return filled(text, flags.endsWith("0") ? "0" : " ", width.isEmpty() ? 0 : Integer.parseInt(width));
        }
        String number = number(letter, time);
        if (number == null || letter == 'f' && code.group().length() > 2) {
            return code.group();
        }
        boolean isUnpadded = flags.endsWith("-");
        boolean isBlank = isUnpadded || flags.endsWith("_") || "ekl".indexOf(letter) >= 0 && !flags.endsWith("0");
        int least = width.isEmpty() ? isUnpadded ? 0 : number.length() : Integer.parseInt(width);
        return filled(number.strip().replaceFirst("^0+(?=\\d)", ""), isBlank ? " " : "0", least);
    }

    private static String filled(String text, String filling, int width) {
        return filling.repeat(Math.max(0, width - text.length())) + text;
    }

    /// The text of a code that is a word, a sign or several numbers; null for a code that is one
    /// number.
    private static @Nullable String text(char code, ZonedDateTime time) {
        String pattern = switch (code) {
            case 'B' -> "MMMM";
            case 'b', 'h' -> "MMM";
            case 'A' -> "EEEE";
            case 'a' -> "EEE";
            case 'p', 'P' -> "a";
            case 'F' -> "uuuu-MM-dd";
            case 'T', 'X' -> "HH:mm:ss";
            case 'D', 'x' -> "MM/dd/uu";
            case 'R' -> "HH:mm";
            case 'r' -> "hh:mm:ss a";
            case 'c' -> "EEE MMM ppd HH:mm:ss uuuu";
            default -> "";
        };
        return switch (code) {
            case '%' -> "%";
            case 'n' -> "\n";
            case 't' -> "\t";
            case 'z', 'Z' -> "";
            case 'P' -> formatted(pattern, time).toLowerCase(Locale.ROOT);
            default -> pattern.isEmpty() ? null : formatted(pattern, time);
        };
    }

    private static @Nullable String number(char code, ZonedDateTime time) {
        int day = time.getDayOfYear();
        int fromSunday = time.getDayOfWeek().getValue() % 7;
        int fromMonday = time.getDayOfWeek().getValue() - 1;
        return switch (code) {
            case 'Y' -> formatted("uuuu", time);
            case 'C' -> twoDigits(time.getYear() / 100);
            case 'y' -> formatted("uu", time);
            case 'm' -> formatted("MM", time);
            case 'd' -> formatted("dd", time);
            case 'e' -> formatted("ppd", time);
            case 'j' -> formatted("DDD", time);
            case 'H' -> formatted("HH", time);
            case 'k' -> formatted("ppH", time);
            case 'I' -> formatted("hh", time);
            case 'l' -> formatted("pph", time);
            case 'M' -> formatted("mm", time);
            case 'S' -> formatted("ss", time);
            case 'f' -> formatted("SSSSSS", time);
            case 's' -> Long.toString(time.getLong(ChronoField.INSTANT_SECONDS));
            case 'w' -> Integer.toString(fromSunday);
            case 'u' -> Integer.toString(fromMonday + 1);
            case 'U' -> twoDigits((day + 6 - fromSunday) / 7);
            case 'W' -> twoDigits((day + 6 - fromMonday) / 7);
            case 'V' -> twoDigits(time.get(IsoFields.WEEK_OF_WEEK_BASED_YEAR));
            case 'G' -> Integer.toString(time.get(IsoFields.WEEK_BASED_YEAR));
            case 'g' -> twoDigits(time.get(IsoFields.WEEK_BASED_YEAR) % 100);
            default -> null;
        };
    }

    private static String twoDigits(int number) {
        return String.format(Locale.ROOT, "%02d", number);
    }

    private static String formatted(String pattern, ZonedDateTime time) {
        return DateTimeFormatter.ofPattern(pattern, Locale.US).format(time);
    }
}
