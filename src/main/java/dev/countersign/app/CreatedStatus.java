package dev.countersign.app;

import jakarta.enterprise.context.RequestScoped;
import jakarta.ws.rs.container.ContainerResponseContext;
import org.jboss.resteasy.reactive.server.ServerResponseFilter;

/** Lets an operation answer 201, where the generated interface fixes the status at the contract's first: 200. */
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
