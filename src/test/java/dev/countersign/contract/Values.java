package dev.countersign.contract;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.IntNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TextNode;
import com.github.curiousoddman.rgxgen.RgxGen;
import io.swagger.v3.oas.models.media.Schema;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;

/** Values that a schema of the contract allows, and those that it doesn't. */
final class Values {

    private static final JsonNodeFactory JSON = JsonNodeFactory.instance;

    private static final List<String> OF_NO_TYPE = List.of("null", "{}", "[]", "[\"a\"]", "{\"a\":1}");

    private Values() {}

    static Arbitrary<JsonNode> valid(Schema<?> schema) {
        return switch (schema.getType()) {
            case "object" -> (isMap(schema) ? validMap(schema) : validObject(schema)).map(JsonNode.class::cast);
            case "integer" -> integer(schema).map(IntNode::valueOf);
            case "string" -> validText(schema).map(TextNode::valueOf);
            default -> throw new IllegalArgumentException("No request has a " + schema.getType());
        };
    }

    /** As it stands in a URL or a header. */
    static Arbitrary<String> validText(Schema<?> schema) {
        if (schema.getType().equals("integer")) {
            return integer(schema).map(String::valueOf);
        } else if (schema.getPattern() != null) {
            Pattern pattern = Pattern.compile(schema.getPattern());
            RgxGen generator = generator(schema);
            return Arbitraries.randomValue(generator::generate)
                    .filter(value -> pattern.matcher(value).matches());
        }
        return Arbitraries.strings()
                .withChars("aZ09-_ \"\\/\n\t\u0000é€\uffff'<%")
                .ofMinLength(least(schema))
                .ofMaxLength(most(schema));
    }

    /** Text that the schema of a parameter refuses; any characters but those that would end a header. */
    static Arbitrary<String> invalidText(Schema<?> schema) {
        if (schema.getType().equals("integer")) {
            return Arbitraries.of(
                    "x",
                    "1.5",
                    "0x1",
                    "1e1",
                    "%201",
                    "99999999999",
                    "-99999999999",
                    "1,2",
                    "%D9%A3",
                    "NaN",
                    schema.getMinimum().subtract(BigDecimal.ONE).toPlainString(),
                    schema.getMaximum().add(BigDecimal.ONE).toPlainString());
        }
        Pattern pattern = Pattern.compile(schema.getPattern());
        RgxGen generator = generator(schema);
        return Arbitraries.oneOf(
                        Arbitraries.randomValue(generator::generateNotMatching),
                        Arbitraries.randomValue(generator::generate).map(Values::tooLong),
                        Arbitraries.strings()
                                .withChars("aZ09-_.~ \"\\/?#[]{}@!$&'()*+,;=:|^`é€%\u0001\u007f")
                                .ofMaxLength(80),
                        Arbitraries.of("", ".", "..", "null", "*", "{appId}", "a b", "a/b", "%", "%00", "%2e%2e", "é"))
                .map(value -> value.replaceAll("[\\r\\n\\u0000]", "~").strip())
                .filter(value -> !pattern.matcher(value).matches());
    }

    /** And not so long that the server refuses the header. */
    private static String tooLong(String value) {
        String repeated = value.repeat(200);
        return repeated.substring(0, Math.min(repeated.length(), 8000));
    }

    /** The body with one member that its schema refuses, or one too many, or one too few; as JSON text. */
    static Arbitrary<String> invalidObject(Schema<?> schema) {
        List<Arbitrary<String>> kinds = new ArrayList<>();
        properties(schema)
                .forEach((name, property) -> kinds.add(Combinators.combine(validObject(schema), invalidJson(property))
                        .as((valid, invalid) -> {
                            valid.remove(name);
                            return withMember(valid, '"' + name + "\":" + invalid);
                        })));
        required(schema)
                .forEach(name -> kinds.add(
                        validObject(schema).map(valid -> valid.without(name).toString())));
        return Arbitraries.oneOf(kinds);
    }

    /** The body with a member that the schema doesn't have. */
    static Arbitrary<String> objectWithUnknownMember(Schema<?> schema) {
        Arbitrary<String> names = Arbitraries.oneOf(
                        Arbitraries.of(
                                "appId",
                                "@type",
                                "class",
                                "__proto__",
                                "$ref",
                                "",
                                "message",
                                "constructor",
                                "Displayname"),
                        Arbitraries.of(properties(schema).keySet())
                                .map(name -> name.toUpperCase(java.util.Locale.ROOT)),
                        Arbitraries.of(properties(schema).keySet()).map(name -> name + " "),
                        Arbitraries.strings().alpha().ofMinLength(1).ofMaxLength(20))
                .filter(name -> !properties(schema).containsKey(name));
        return Combinators.combine(validObject(schema), names, Arbitraries.of("1", "null", "\"a\"", "{}", "[1]"))
                .as((valid, name, value) -> withMember(valid, '"' + name + "\":" + value));
    }

    /** The body with a member twice. */
    static Arbitrary<String> objectWithRepeatedMember(Schema<?> schema) {
        return Combinators.combine(
                        validObject(schema),
                        Arbitraries.of(properties(schema).keySet())
                                .flatMap(name -> valid(properties(schema).get(name))
                                        .map(value -> '"' + name + "\":" + value + ",\"" + name + "\":" + value)))
                .as((valid, member) -> withMember(valid.removeAll(), member));
    }

    private static Arbitrary<ObjectNode> validObject(Schema<?> schema) {
        List<Arbitrary<ObjectNode>> members = new ArrayList<>();
        properties(schema).forEach((name, property) -> {
            Arbitrary<ObjectNode> with =
                    valid(property).map(value -> JSON.objectNode().set(name, value));
            members.add(
                    required(schema).contains(name)
                            ? with
                            : Arbitraries.oneOf(Arbitraries.create(JSON::objectNode), with));
        });
        return Combinators.combine(members).as(parts -> {
            ObjectNode whole = JSON.objectNode();
            parts.forEach(whole::setAll);
            return whole;
        });
    }

    private static boolean isMap(Schema<?> schema) {
        return schema.getAdditionalProperties() instanceof Schema;
    }

    /** Small, as what the names and values may have together stands in words only. */
    private static Arbitrary<ObjectNode> validMap(Schema<?> schema) {
        return Arbitraries.maps(
                        Arbitraries.strings().alpha().ofMinLength(1).ofMaxLength(10),
                        Arbitraries.strings().withChars("aZ09 é€\uffff\n\"'<").ofMaxLength(10))
                .ofMaxSize(schema.getMaxProperties())
                .map(members -> {
                    ObjectNode map = JSON.objectNode();
                    members.forEach(map::put);
                    return map;
                });
    }

    private static Arbitrary<String> invalidMap(Schema<?> schema) {
        StringBuilder tooMany = new StringBuilder("{");
        for (int i = 0; i <= schema.getMaxProperties(); i++) {
            tooMany.append(i == 0 ? "" : ",").append("\"a").append(i).append("\":\"\"");
        }
        return Arbitraries.of(
                "null",
                "[]",
                "1",
                "true",
                "\"\"",
                "\"a\"",
                "{\"a\":1}",
                "{\"a\":null}",
                "{\"a\":{}}",
                "{\"a\":[\"b\"]}",
                "{\"a\":\"\\u0000\"}",
                "{\"a\":\"\\ud800\"}",
                "{\"a\":\"b\",\"a\":\"b\"}",
                "{\"\":\"\"}",
                "{\"a\":\"" + "x".repeat(1024) + "\"}",
                tooMany + "}");
    }

    private static Arbitrary<String> invalidJson(Schema<?> schema) {
        if (isMap(schema)) {
            return invalidMap(schema);
        }
        List<String> invalid = new ArrayList<>(OF_NO_TYPE);
        invalid.addAll(List.of("true", "1.5", "1e400", "-0.0"));
        if (schema.getType().equals("integer")) {
            invalid.addAll(List.of("\"1\"", "\"\"", "2147483648", "1" + "0".repeat(1200), "NaN", "01", "0x1", "+1"));
            invalid.add(schema.getMinimum().subtract(BigDecimal.ONE).toPlainString());
            invalid.add(schema.getMaximum().add(BigDecimal.ONE).toPlainString());
        } else {
            invalid.addAll(List.of("1", "0", "'a'", "\"a\u0001\"", "\"\\ud8\"", "\"\\x\""));
            for (String text : List.of("", "\u0000", "a\nb", "x".repeat(129), "x".repeat(300))) {
                if (!allows(schema, text)) {
                    invalid.add(TextNode.valueOf(text).toString());
                }
            }
            if (schema.getPattern() != null) {
                invalid.addAll(List.of("\"\\ud800\"", "\"\\udc00\\ud800\""));
            }
        }
        return Arbitraries.of(invalid);
    }

    private static boolean allows(Schema<?> schema, String text) {
        return schema.getPattern() != null
                ? Pattern.matches(schema.getPattern(), text)
                : text.length() >= least(schema)
                        && (schema.getMaxLength() == null || text.length() <= schema.getMaxLength());
    }

    private static int least(Schema<?> schema) {
        return schema.getMinLength() == null ? 0 : schema.getMinLength();
    }

    private static int most(Schema<?> schema) {
        return schema.getMaxLength() == null ? 300 : schema.getMaxLength();
    }

    private static String withMember(ObjectNode object, String member) {
        String text = object.toString();
        return text.substring(0, text.length() - 1) + (object.isEmpty() ? "" : ",") + member + "}";
    }

    private static Arbitrary<Integer> integer(Schema<?> schema) {
        return Arbitraries.integers()
                .between(schema.getMinimum().intValue(), schema.getMaximum().intValue());
    }

    private static RgxGen generator(Schema<?> schema) {
        return RgxGen.parse(schema.getPattern().replaceAll("^\\^|\\$$", ""));
    }

    @SuppressWarnings("rawtypes")
    private static Map<String, Schema> properties(Schema<?> schema) {
        return schema.getProperties();
    }

    private static Set<String> required(Schema<?> schema) {
        return schema.getRequired() == null ? Set.of() : Set.copyOf(schema.getRequired());
    }
}
