package dev.countersign.challenge;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.countersign.error.BadRequestException;
import dev.countersign.error.UnicodeText;
import jakarta.inject.Singleton;
import java.util.LinkedHashMap;
import java.util.Map;

/** Checks the context that a caller gives to a token, and converts it to and from the stored text. */
@Singleton
class TokenContext {

    private static final int MOST_NAME_CHARACTERS = 64;
    private static final int MOST_BYTES = 1024;
    private static final TypeReference<LinkedHashMap<String, String>> MEMBERS = new TypeReference<>() {};

    private final ObjectMapper json;

    TokenContext(ObjectMapper json) {
        this.json = json;
    }

    /**
     * Writes the members as JSON, in their order. The contract has already limited their number.
     *
     * @throws BadRequestException when a member violates the contract
     */
    String write(Map<String, String> members) {
        int bytes = 0;
        for (Map.Entry<String, String> member : members.entrySet()) {
            String name = member.getKey();
            String value = member.getValue();
            int characters = name.codePointCount(0, name.length());
            if (characters < 1 || characters > MOST_NAME_CHARACTERS) {
                throw new BadRequestException("context must have names of 1 to 64 characters");
            }
            UnicodeText.require("context", name);
            UnicodeText.require("context", value);
            bytes += name.getBytes(UTF_8).length + value.getBytes(UTF_8).length;
        }
        if (bytes > MOST_BYTES) {
            throw new BadRequestException("context must have at most 1024 bytes of UTF-8 in its names and values");
        }
        try {
            return json.writeValueAsString(members);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("Strings can be written as JSON", e);
        }
    }

    /** Reads the members of a stored text, in their order. */
    Map<String, String> read(String text) {
        try {
            return json.readValue(text, MEMBERS);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("The context of a session is not what was written", e);
        }
    }
}
