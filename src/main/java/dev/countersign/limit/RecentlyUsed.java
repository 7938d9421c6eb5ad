package dev.countersign.limit;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** Values by name, of which the least recently used go when there are too many. For several threads. */
final class RecentlyUsed<V> {

    private final Map<String, V> values;

    RecentlyUsed(int most) {
        values = new LinkedHashMap<>(16, 0.75f, true) {
            @Override
            protected boolean removeEldestEntry(Map.Entry<String, V> eldest) {
                return size() > most;
            }
        };
    }

    synchronized @Nullable V get(String name) {
        return values.get(name);
    }

    synchronized V get(String name, Function<String, V> make) {
        return values.computeIfAbsent(name, make);
    }

    synchronized void put(String name, V value) {
        values.put(name, value);
    }
}
