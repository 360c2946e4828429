package io.atelier.repository;

import java.util.Random;

/** Damages text at random. */
final class Garbage {
    private static final String ALPHABET = "{}[]<>:;,#\"'\\-+.!&*|%@`?~ \n\t\r\0\u00e9\ud83d\uffff0129aAeExX_";

    private Garbage() {}

    /** A copy with a few characters replaced, inserted or removed, cut short, or nothing but noise. */
    static String mutate(String text, Random random) {
        StringBuilder copy = new StringBuilder(random.nextInt(10) == 0 ? "" : text);
        if (random.nextInt(4) == 0) {
            copy.setLength(random.nextInt(copy.length() + 1));
        }
        for (int change = random.nextInt(12); change >= 0; change--) {
            int at = random.nextInt(copy.length() + 1);
            char c = ALPHABET.charAt(random.nextInt(ALPHABET.length()));
            switch (random.nextInt(3)) {
                case 0 -> copy.insert(at, String.valueOf(c).repeat(1 + random.nextInt(3)));
                case 1 -> copy.replace(at, Math.min(copy.length(), at + 1), String.valueOf(c));
                default -> copy.delete(at, Math.min(copy.length(), at + 1 + random.nextInt(5)));
            }
        }
        return copy.toString();
    }
}
