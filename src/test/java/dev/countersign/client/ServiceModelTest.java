package dev.countersign.client;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.countersign.support.Contract;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/** The service model that releases carry is the one that follows from the contract. */
class ServiceModelTest {

    static final Path FILE = Path.of("src", "main", "aws", "countersign-service-model.json");

    private static final String WRITE = "countersign.model.write";

    @Test
    void fileFollowsFromTheContract() throws IOException {
        String model =
                new ObjectMapper().writerWithDefaultPrettyPrinter().writeValueAsString(ServiceModel.of(Contract.text()))
                        + "\n";
        if (Boolean.getBoolean(WRITE)) {
            Files.writeString(FILE, model);
        } else {
            assertThat(Files.readString(FILE))
                    .as("%s is out of date. Write it with: ./mvnw test -Dtest=ServiceModelTest -D%s=true", FILE, WRITE)
                    .isEqualTo(model);
        }
    }
}
