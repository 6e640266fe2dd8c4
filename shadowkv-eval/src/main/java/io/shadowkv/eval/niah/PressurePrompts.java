package io.shadowkv.eval.niah;

import io.shadowkv.eval.text.PromptTemplate;
import java.util.List;
import java.util.Map;

/// The pressure test's strings, verbatim (bytedance/ShadowKV, `data/utils.py` and
/// `data/dataset.py`).
final class PressurePrompts {
    private static final PromptTemplate PROMPT = new PromptTemplate(
            "Write a high-quality answer for the given question using only the provided search results (some of which"
                    + " might be irrelevant).\n{context}\n\nQuestion: {question} Don't give information outside the"
                    + " document or repeat your findings. Keep your response short and direct. Answer: ");

    /// As in the source, some cities are listed more than once and are drawn more often.
    static final List<String> CITIES = List.of(
            "Chicago",
            "Yangon",
            "Antananarivo",
            "Colombo",
            "Almaty",
            "Sydney",
            "Chicago",
            "Mexico City",
            "Seattle",
            "Lagos",
            "Amsterdam",
            "Belgrade",
            "Cairo",
            "Baghdad",
            "Damascus",
            "Kigali",
            "Dakar",
            "Dakar",
            "Sofia",
            "Kigali",
            "Victoria",
            "Tashkent",
            "Mumbai",
            "Barcelona",
            "Almaty",
            "Amman",
            "Toronto",
            "Bratislava",
            "Johannesburg",
            "Thimphu",
            "Bangkok",
            "Santiago",
            "Cairo",
            "San Francisco",
            "Lagos",
            "Amsterdam",
            "Paris",
            "Rabat",
            "Santiago",
            "Copenhagen",
            "Madrid",
            "Kigali",
            "Ho Chi Minh City",
            "Sarajevo",
            "Delhi",
            "Istanbul",
            "Ho Chi Minh City",
            "Khartoum",
            "Helsinki",
            "Doha",
            "Istanbul",
            "Kuala Lumpur",
            "Budapest",
            "Shanghai",
            "Moscow",
            "Los Angeles",
            "Oslo",
            "Johannesburg",
            "Berlin",
            "Bangalore",
            "Tokyo",
            "Melbourne",
            "Barcelona",
            "Chicago",
            "Port Louis",
            "Lisbon",
            "Nairobi",
            "Kampala",
            "Lima",
            "Maputo",
            "Vancouver",
            "Dubai",
            "Khartoum",
            "Jakarta",
            "Madrid",
            "Yerevan",
            "Beirut",
            "Athens",
            "Chicago",
            "Paris",
            "Bucharest",
            "Copenhagen",
            "Brussels",
            "Damascus",
            "Seattle",
            "Los Angeles",
            "Yerevan",
            "Victoria",
            "Tunis",
            "Astana",
            "Seoul",
            "Buenos Aires",
            "Bangkok",
            "Colombo",
            "Brussels",
            "Khartoum",
            "Doha",
            "San Francisco",
            "Vienna",
            "Jakarta");

    private PressurePrompts() {}

    static String needle(String city, String number) {
        return "\nThe special magic " + city + " number is: " + number + "\n";
    }

    static String question(String city) {
        return "What is the special magic " + city + " number?";
    }

    static String prompt(String context, String question) {
        return PROMPT.fill(Map.of("context", context, "question", question));
    }
}
