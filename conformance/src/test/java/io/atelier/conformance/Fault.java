package io.atelier.conformance;

import java.util.regex.Pattern;

/** A way to be wrong that servers have had, or might; and the numbers of the checks that must find it, no others. */
enum Fault {
    NO_BODY_OF_LIVE("A02"),
    NO_PLATFORM("A10|A11"),
    UNKNOWN_MODEL_HAS_METADATA("A14|A19"),
    ANY_VERSION("A17|A18|A19"),
    UNKNOWN_IS_400("A19"),
    ERROR_IN_OTHER_WORDS("A20"),
    WRONG_VERB_IS_404("A21"),
    QUERY_REFUSED("A23"),
    INT64_THROUGH_DOUBLE("B13"),
    UINT64_THROUGH_DOUBLE("B14"),
    FLOATS_OF_SIX_DIGITS("B15"),
    ASCII_ONLY("B17|B18|I02"),
    NAN_AS_ZERO("B19"),
    FLAT_SHAPES("B20|C28|K02"),
    NO_DATATYPE("B21|K02"),
    NO_MODEL_NAME("B22"),
    BINARY_IGNORED("B19|C0\\d|C1[0-8]|C2[1-8]|G07"),
    BINARY_AS_JSON_TYPE("C16"),
    INPUTS_BY_PLACE("C26|E12|I08"),
    LAST_OVERRIDE_IGNORED("C25"),
    HALF_ELEMENT_CUT("C29"),
    NESTED_REFUSED("D01|D02"),
    RAGGED_TAKEN("D03"),
    NEGATIVE_DIMENSIONS("E03"),
    DUPLICATE_INPUT("E12"),
    EXTRA_INPUT("E13"),
    TYPE_ERROR_IS_500("E08|E17|E18"),
    NUMBERS_WRAP("E19"),
    BAD_JSON_IS_500("E24|E27|E28|F05|F06|R04"),
    ERROR_AS_HTML("E29"),
    BYTES_LEFT_OVER("F10"),
    LONG_ELEMENT_IS_500("F13"),
    CHUNKS_REFUSED("G01|G02"),
    GZIP_IGNORED("G05|G07|G10"),
    CONTENT_TYPE_DEMANDED("C17|G12"),
    CURL_REFUSED("G14"),
    LATE_IS_EXECUTED("H01"),
    LATE_IS_408("H01"),
    ID_DROPPED("I0[12]"),
    ALL_OUTPUTS("I06"),
    OUTPUTS_IN_MODEL_ORDER("I07"),
    CLASSIFICATION_IGNORED("K0[1-4]"),
    TWO_LENGTHS("L01"),
    WAITS_FOR_EVER("L06"),
    FEW_CONNECTIONS("L07"),
    QUEUE_WITHOUT_END("L13"),
    FULL_QUEUE_IS_500("L13"),
    REQUESTS_NOT_ROWS("S03"),
    LEAVING_COUNTS("S08"),
    INDEX_OF_EVERYTHING("R03"),
    UNLOAD_DOES_NOTHING("R08");

    private final Pattern found;

    Fault(String found) {
        this.found = Pattern.compile(found);
    }

    boolean isFoundBy(Check check) {
        return found.matcher(check.number()).matches();
    }
}
