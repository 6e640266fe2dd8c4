package io.shadowkv.text.jinja.builtin;

import io.shadowkv.text.jinja.runtime.JinjaException;
import java.time.LocalDateTime;
import java.time.format.DateTimeFormatter;
import java.util.Locale;

/// Python's `strftime` in English.
public final class TimeFormat {
    private TimeFormat() {}

    /// @throws JinjaException if a code of the format is not known here
    public static String text(String format, LocalDateTime time) {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < format.length(); i++) {
            char character = format.charAt(i);
            if (character != '%' || i + 1 == format.length()) {
                text.append(character);
                continue;
            }
            boolean isUnpadded = format.charAt(i + 1) == '-' && i + 2 < format.length();
            i += isUnpadded ? 2 : 1;
            String shown = shown(format.charAt(i), time);
            text.append(isUnpadded ? shown.replaceFirst("^0+(?=\\d)", "") : shown);
        }
        return text.toString();
    }

    private static String shown(char code, LocalDateTime time) {
        String pattern = switch (code) {
            case 'Y' -> "uuuu";
            case 'y' -> "uu";
            case 'm' -> "MM";
            case 'B' -> "MMMM";
            case 'b', 'h' -> "MMM";
            case 'd' -> "dd";
            case 'j' -> "DDD";
            case 'A' -> "EEEE";
            case 'a' -> "EEE";
            case 'H' -> "HH";
            case 'I' -> "hh";
            case 'M' -> "mm";
            case 'S' -> "ss";
            case 'p' -> "a";
            case 'f' -> "SSSSSS";
            case 'F' -> "uuuu-MM-dd";
            case 'T' -> "HH:mm:ss";
            case 'D', 'x' -> "MM/dd/uu";
            case 'R' -> "HH:mm";
            case 'X' -> "HH:mm:ss";
            default -> "";
        };
        return switch (code) {
            case '%' -> "%";
            case 'n' -> "\n";
            case 't' -> "\t";
            case 'e' -> String.format(Locale.ROOT, "%2d", time.getDayOfMonth());
            case 'w' -> String.valueOf(time.getDayOfWeek().getValue() % 7);
            case 'u' -> String.valueOf(time.getDayOfWeek().getValue());
            case 'z', 'Z' -> "";
            default -> {
                if (pattern.isEmpty()) {
                    throw new JinjaException("strftime_now does not know %" + code);
                }
                yield DateTimeFormatter.ofPattern(pattern, Locale.US).format(time);
            }
        };
    }
}
