package dev.countersign.error;

import com.fasterxml.jackson.databind.exc.MismatchedInputException;
import io.quarkus.security.AuthenticationFailedException;
import io.quarkus.security.UnauthorizedException;
import jakarta.validation.ValidationException;
import jakarta.ws.rs.core.Response;
import jakarta.ws.rs.core.Response.ResponseBuilder;
import org.jboss.resteasy.reactive.server.ServerExceptionMapper;

/** Sends an {@link ErrorReply} for everything that an operation throws. */
class ErrorMapper {

    // Quarkus has its own mappers for some of these types. They would win over a mapper for Throwable alone.
    @ServerExceptionMapper({
        Throwable.class,
        ValidationException.class,
        MismatchedInputException.class,
        AuthenticationFailedException.class,
        UnauthorizedException.class,
        io.quarkus.security.ForbiddenException.class
    })
    Response reply(Throwable thrown) {
        ErrorReply reply = ErrorReply.of(thrown);
        ResponseBuilder response = Response.status(reply.status()).entity(reply.body());
        reply.headers().forEach(response::header);
        return response.build();
    }
}
