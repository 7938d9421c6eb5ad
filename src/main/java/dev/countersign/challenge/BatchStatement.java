package dev.countersign.challenge;

import static java.util.Objects.requireNonNull;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Timestamp;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;

/**
 * A statement with named parameters, {@code :name}, most of them arrays. It runs on the connection of the repository's
 * session: a native query of Hibernate's took twice as long for a lone row (ADR 4). Immutable.
 */
final class BatchStatement {

    private static final Pattern NAME = Pattern.compile(":(\\w+)");

    /** The types of arrays in PostgreSQL, by that of an element in Java. */
    private static final Map<Class<?>, String> TYPES = Map.of(
            String.class, "text",
            UUID.class, "uuid",
            byte[].class, "bytea",
            Integer.class, "integer");

    private final String sql;
    private final List<String> names;

    /** @param text its SQL; every colon in it must begin a parameter (so no {@code ::} casts) */
    BatchStatement(String text) {
        sql = NAME.matcher(text).replaceAll("?");
        names = NAME.matcher(text)
                .results()
                .map((MatchResult name) -> name.group(1))
                .toList();
    }

    /**
     * Runs it and returns the rows. Times are {@code Instant}s.
     *
     * @param parameters by name; a value is an array or a number
     */
    List<Object[]> rows(Connection connection, Map<String, Object> parameters) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(sql)) {
            for (int i = 0; i < names.size(); i++) {
                Object value = requireNonNull(parameters.get(names.get(i)), names.get(i));
                statement.setObject(
                        i + 1,
                        value instanceof Object[] array
                                ? connection.createArrayOf(
                                        TYPES.get(value.getClass().getComponentType()), array)
                                : value);
            }
            try (ResultSet result = statement.executeQuery()) {
                List<Object[]> rows = new ArrayList<>();
                int columns = result.getMetaData().getColumnCount();
                while (result.next()) {
                    Object[] row = new Object[columns];
                    for (int i = 0; i < columns; i++) {
                        Object value = result.getObject(i + 1);
                        row[i] = value instanceof Timestamp time ? time.toInstant() : value;
                    }
                    rows.add(row);
                }
                return rows;
            }
        }
    }
}
