package dev.countersign.app;

import jakarta.enterprise.context.RequestScoped;
import jakarta.ws.rs.container.ContainerResponseContext;
import org.jboss.resteasy.reactive.server.ServerResponseFilter;

/** Lets an operation answer Created. The generated interface fixes the status to 200, the first in the contract. */
@RequestScoped
class CreatedStatus {

    private boolean created;

    void created() {
        created = true;
    }

    @ServerResponseFilter
    void apply(ContainerResponseContext response) {
        if (created) {
            response.setStatus(201);
        }
    }
}
